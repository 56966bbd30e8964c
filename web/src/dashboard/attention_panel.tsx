import { ActionButton } from "../components/action_button";
import { InertText } from "../components/inert_text";
import type { Concern } from "./attention";

interface Props {
  concerns: Concern[];
  mayAct: boolean;
  onDone: () => void;
}

export function AttentionPanel({ concerns, mayAct, onDone }: Props) {
  return (
    <div>
      {concerns.map((concern) => (
        <div key={concern.key} class={`notice ${concern.tone}`} role={concern.tone === "bad" ? "alert" : undefined}>
          <div class="said">
            <b>
              <InertText text={concern.title} />
            </b>
            {concern.text !== "" && (
              <>
                {": "}
                <InertText text={concern.text} />
              </>
            )}
          </div>
          {concern.action && mayAct && (
            <ActionButton name={concern.action.name} path={concern.action.path} onDone={onDone} />
          )}
          {concern.link && (
            <a class="button small" href={concern.link.href}>
              {concern.link.name}
            </a>
          )}
        </div>
      ))}
    </div>
  );
}
