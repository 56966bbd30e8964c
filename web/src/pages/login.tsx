// Signing in: by name and password, or by a login link, whose secret stands after the '#' and so is never
// sent to a server by the browser itself, logged or passed on as a referrer.
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, problem_text } from "../api/client";
import type { Session } from "../api/types";
import { Brand, ThemeButton } from "../components/layout";
import { sign_in, sign_in_by_link } from "../session";

function login_problem(error: unknown): string {
  if (error instanceof Problem && error.status === 401) return "That name and password do not fit together.";
  if (error instanceof Problem && error.status === 429) return "Too many attempts. Wait a minute, then try again.";
  return problem_text(error);
}

export default function LoginPage({ onSession }: { onSession: (session: Session) => void }) {
  const [problem, set_problem] = useState<string | null>(null);
  const [busy, set_busy] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = "Sign in · cutd";
    const token = location.hash.slice(1);
    if (token === "") {
      name.current?.focus();
      return;
    }
    history.replaceState(null, "", location.pathname); // the secret leaves the address bar
    set_busy(true);
    sign_in_by_link(token)
      .then(onSession, (error: unknown) => {
        const used = error instanceof Problem && error.status < 500;
        set_problem(used ? "This login link has been used or has expired. Ask for a new one." : problem_text(error));
      })
      .finally(() => set_busy(false));
  }, []);

  const submit = (event: Event) => {
    event.preventDefault();
    set_busy(true);
    set_problem(null);
    sign_in(name.current?.value ?? "", password.current?.value ?? "")
      .then(onSession, (error: unknown) => {
        set_problem(login_problem(error));
        password.current?.select();
      })
      .finally(() => set_busy(false));
  };

  return (
    <main class="login" id="main">
      <div class="login-top">
        <Brand />
        <ThemeButton />
      </div>
      <form class="panel" onSubmit={submit} aria-labelledby="login-title">
        <h1 id="login-title">Sign in</h1>
        {problem !== null && (
          <div class="notice bad" role="alert">
            {problem}
          </div>
        )}
        <label class="field">
          <span>Name</span>
          <input ref={name} name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label class="field">
          <span>Password</span>
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        <button class="primary" type="submit" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
        <p class="note">
          Have a login link? Open it and you are in. Accounts and links are made by the operator with{" "}
          <code>cutd user</code>.
        </p>
      </form>
    </main>
  );
}
