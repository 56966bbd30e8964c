// Who is signed in, and a password of one's own: a login link opens only once.
import { useRef, useState } from "preact/hooks";
import { problem_text, send } from "../api/client";
import type { Session } from "../api/types";
import { date_time } from "../format";
import { Dialog } from "./dialog";
import { InertText } from "./inert_text";

const kLeast = 10; // characters, as the API asks

interface Props {
  session: Session;
  onClose: () => void;
}

export function AccountDialog({ session, onClose }: Props) {
  const [said, say] = useState<{ text: string; good: boolean } | null>(null);
  const [busy, set_busy] = useState(false);
  const password = useRef<HTMLInputElement>(null);
  const again = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const text = password.current?.value ?? "";
    if (text !== again.current?.value) {
      say({ text: "The two are not the same.", good: false });
      return;
    }
    set_busy(true);
    send("/api/v1/session/password", { body: { password: text } })
      .then(
        () => say({ text: "Your password is set. Other sessions of this account have ended.", good: true }),
        (error: unknown) => say({ text: problem_text(error), good: false }),
      )
      .finally(() => set_busy(false));
  };
  return (
    <Dialog title="Your account" onClose={onClose}>
      <p>
        Signed in as{" "}
        <b>
          <InertText text={session.name} />
        </b>
        , {session.role}
        {session.expires_at === null ? "" : `, until ${date_time(session.expires_at)}`}.
      </p>
      <form class="account" onSubmit={submit}>
        {/* For password managers. */}
        <input type="text" name="username" autocomplete="username" value={session.name} readOnly hidden />
        <label class="field">
          <span>New password, at least {kLeast} characters</span>
          <input
            ref={password}
            type="password"
            autocomplete="new-password"
            minLength={kLeast}
            maxLength={200}
            required
          />
        </label>
        <label class="field">
          <span>The same again</span>
          <input ref={again} type="password" autocomplete="new-password" minLength={kLeast} maxLength={200} required />
        </label>
        <p class={said === null || said.good ? "note" : "out"} role="status">
          {said?.text ?? "A login link opens only once; with a password you can come back."}
        </p>
        <div class="actions">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button class="primary" type="submit" disabled={busy}>
            Set password
          </button>
        </div>
      </form>
    </Dialog>
  );
}
