// A change asked for by a button: asked once, its failure shown beside it, repeated with the same key.
import { useRef, useState } from "preact/hooks";
import { new_key, problem_text, send } from "../api/client";

interface Props {
  name: string;
  path: string;
  body?: unknown;
  onDone: () => void;
  /** Set: what the reader must agree to first. */
  confirm?: string;
  danger?: boolean;
}

export function ActionButton({ name, path, body, onDone, confirm, danger = false }: Props) {
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<string | null>(null);
  const key = useRef(new_key());
  const act = () => {
    if (confirm !== undefined && !window.confirm(confirm)) return;
    set_busy(true);
    set_problem(null);
    send(path, { body: body ?? {}, key: key.current })
      .then(
        () => {
          key.current = new_key();
          onDone();
        },
        (error: unknown) => set_problem(problem_text(error)),
      )
      .finally(() => set_busy(false));
  };
  return (
    <>
      <button class={danger ? "small danger" : "small"} disabled={busy} onClick={act}>
        {name}
      </button>
      {problem !== null && (
        <span class="out" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}
