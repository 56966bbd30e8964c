import { useRef, useState } from "preact/hooks";
import { Dialog } from "../components/dialog";

const kReasons = [
  "I do not know the subject",
  "The instruction makes no sense",
  "Offensive or private content",
  "Another reason",
];

interface Props {
  onSkip: (reason: string) => void;
  onClose: () => void;
}

/** A skip is final for this person, so it is asked for with its reason. */
export function SkipDialog({ onSkip, onClose }: Props) {
  const [reason, set_reason] = useState(kReasons[0] ?? "");
  const more = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const added = more.current?.value.trim() ?? "";
    const other = reason === kReasons[kReasons.length - 1];
    onSkip(other && added !== "" ? added : added === "" ? reason : `${reason}: ${added}`);
  };
  return (
    <Dialog title="Skip this item" onClose={onClose}>
      <form onSubmit={submit}>
        <p class="note">You will not be shown it again; someone else may be.</p>
        <fieldset class="reasons">
          <legend>Why?</legend>
          {kReasons.map((text, i) => (
            <label key={text}>
              <input
                type="radio"
                name="reason"
                checked={reason === text}
                autofocus={i === 0}
                onChange={() => set_reason(text)}
              />{" "}
              {text}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>In your words (optional)</span>
          <input ref={more} maxLength={900} />
        </label>
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="primary" type="submit">
            Skip it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
