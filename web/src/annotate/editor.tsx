// The judgment of the item on the desk: verdict, text, and what becomes of them.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Label } from "../api/types";
import { InertText } from "../components/inert_text";
import { clock } from "../format";
import { lease_state } from "./lease";
import type { SaveState, Work, Written } from "./work";

interface Props {
  work: Work;
  now: number;
  text: RefObject<HTMLTextAreaElement>;
  onWrite: (written: Partial<Written>) => void;
  onSubmit: () => void;
  onSkip: () => void;
  onAnother: () => void;
  onRelease: () => void;
}

function save_text(save: SaveState, saved_at: string | null, lost: boolean): string {
  if (lost && save.kind !== "clean") return "Kept in this browser";
  switch (save.kind) {
    case "changed":
      return "Not saved yet…";
    case "saving":
      return "Saving…";
    case "failed":
      return `Not saved, trying again: ${save.why}`;
    case "clean":
      return saved_at === null ? "" : `Draft saved ${new Date(saved_at).toTimeString().slice(0, 5)}`;
  }
}

function Reservation({ work, now }: { work: Work; now: number }) {
  if (work.lost) {
    return (
      <div class="notice warn" role="alert">
        <div class="said">
          <b>Your reservation of this item has ended.</b> What you wrote is still here. You can submit it: it is kept,
          and counts only if nobody else was given the item meanwhile. Or take another item.
        </div>
      </div>
    );
  }
  if (lease_state(work.lease, now) !== "ending") return null;
  return (
    <div class="notice warn">
      <div class="said">
        This item is reserved for you for <b>{clock(work.lease.ends_at - now)}</b> more. Work on it prolongs that, up to
        a limit.
      </div>
    </div>
  );
}

/** The countdown beside it changes each second and is not read out; this is, once. */
function EndingSaid({ ending }: { ending: boolean }) {
  // Empty at first: a region that comes with its text says nothing.
  const [said, say] = useState(false);
  useEffect(() => say(ending), [ending]);
  return (
    <p class="hidden-visually" role="status">
      {said && "Your reservation of this item ends within two minutes. Work on it prolongs that, up to a limit."}
    </p>
  );
}

function Verdict({
  label,
  chosen,
  name,
  hint,
  keyName,
  onChoose,
}: {
  label: Label;
  chosen: boolean;
  name: string;
  hint: string;
  keyName: string;
  onChoose: (label: Label) => void;
}) {
  return (
    <label class={chosen ? `verdict chosen ${label}` : `verdict ${label}`}>
      <input type="radio" name="verdict" value={label} checked={chosen} onChange={() => onChoose(label)} />
      <span>
        <b>{name}</b> <kbd>{keyName}</kbd>
        <span class="hint">{hint}</span>
      </span>
    </label>
  );
}

export function Editor({ work, now, text, onWrite, onSubmit, onSkip, onAnother, onRelease }: Props) {
  const { written } = work;
  const choose = (label: Label) => onWrite({ label });
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form class="panel editor" aria-labelledby="judgment-title" onSubmit={submit}>
      <h2 id="judgment-title">Your judgment</h2>
      <Reservation work={work} now={now} />
      <EndingSaid ending={!work.lost && lease_state(work.lease, now) === "ending"} />
      {work.suggested && work.task.suggestion && (
        <div class="notice">
          <div class="said">
            Suggested by{" "}
            <b>
              <InertText text={work.task.suggestion.source} />
            </b>
            , a machine. Check it; change what is wrong.
          </div>
          <button type="button" class="small" onClick={() => onWrite({ label: null, text: "" })}>
            Clear it
          </button>
        </div>
      )}
      <fieldset class="verdicts">
        <legend class="hidden-visually">Verdict</legend>
        <Verdict
          label="positive"
          chosen={written.label === "positive"}
          name="Perfect"
          hint="Nothing to improve"
          keyName="1"
          onChoose={choose}
        />
        <Verdict
          label="negative"
          chosen={written.label === "negative"}
          name="Needs work"
          hint="Say what and how"
          keyName="2"
          onChoose={choose}
        />
      </fieldset>
      <label class="field">
        <span>
          {written.label === "positive" ? "Remark (optional)" : "What is wrong, and how should it be?"} <kbd>e</kbd>
        </span>
        <textarea
          ref={text}
          rows={5}
          dir="auto"
          maxLength={65536}
          value={written.text}
          aria-describedby="judgment-problem"
          aria-invalid={work.problem !== null && written.label === "negative" && written.text.trim() === ""}
          onInput={(event) => onWrite({ text: event.currentTarget.value })}
        />
      </label>
      <p id="judgment-problem" class="out problem" role="alert">
        {work.problem}
      </p>
      <div class="editor-actions">
        <button class="primary" type="submit" disabled={work.submitting}>
          {work.submitting ? "Submitting…" : "Submit"} <kbd>Ctrl ⏎</kbd>
        </button>
        <button type="button" onClick={onSkip} disabled={work.submitting || work.lost}>
          Skip <kbd>s</kbd>
        </button>
        {written.label === null && written.text === "" && !work.lost ? (
          <button type="button" class="plain" onClick={onRelease} disabled={work.submitting}>
            Give back <kbd>r</kbd>
          </button>
        ) : (
          <button type="button" class="plain" onClick={onAnother} disabled={work.submitting}>
            {work.lost ? "Take another" : "Later"} <kbd>n</kbd>
          </button>
        )}
        <span class="save-state soft" role="status">
          {save_text(work.save, work.saved_at, work.lost)}
        </span>
      </div>
    </form>
  );
}
