// The parts of the page Start a run: the configuration, what is wrong with it, and the files that it names.
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import type { RunCheck } from "../api/plan_types";
import { InertText } from "../components/inert_text";
import { Pill } from "../components/pieces";
import { type Chosen, files_of } from "./files";
import { line_range, problem_line } from "./place";
import type { Draft } from "./use_start";

async function read_all(list: FileList | null): Promise<Chosen[]> {
  return Promise.all(Array.from(list ?? [], async (file) => ({ name: file.name, text: await file.text() })));
}

interface ConfigProps {
  draft: Draft;
  text: RefObject<HTMLTextAreaElement>;
  invalid: boolean;
  onEdit: (change: Partial<Draft>) => void;
}

export function ConfigField({ draft, text, invalid, onEdit }: ConfigProps) {
  const choose = async (list: FileList | null) => {
    const [file] = await read_all(list);
    if (file) onEdit({ origin: file.name, text: file.text });
  };
  return (
    <>
      <label class="field">
        <span>A YAML file of this machine</span>
        <input type="file" accept=".yaml,.yml" onChange={(event) => void choose(event.currentTarget.files)} />
      </label>
      <label class="field">
        <span>Or written here; a chosen file can be changed</span>
        <textarea
          ref={text}
          class="yaml"
          rows={14}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          wrap="off"
          value={draft.text}
          aria-invalid={invalid}
          aria-describedby="start-problem"
          onInput={(event) => onEdit({ text: event.currentTarget.value })}
        />
      </label>
    </>
  );
}

interface ProblemProps {
  problem: string | null;
  draft: Draft;
  text: RefObject<HTMLTextAreaElement>;
}

/** What is wrong, and the line that it is about. */
export function ProblemNotice({ problem, draft, text }: ProblemProps) {
  const line = problem === null ? null : problem_line(draft.text, problem, draft.origin);
  const show = () => {
    const area = text.current;
    if (area === null || line === null) return;
    area.focus();
    area.setSelectionRange(...line_range(draft.text, line));
    const lines = draft.text.split("\n").length;
    area.scrollTop = (area.scrollHeight * Math.max(0, line - 4)) / lines;
  };
  return (
    <div id="start-problem" role="alert">
      {problem !== null && (
        <div class="notice bad">
          <div class="said">
            <InertText text={problem} />
          </div>
          {line !== null && (
            <button type="button" class="small" onClick={show}>
              Show line {line}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

interface FilesProps {
  check: RunCheck | null;
  chosen: Chosen[];
  onChoose: (chosen: Chosen[]) => void;
}

export function FilesField({ check, chosen, onChoose }: FilesProps) {
  const input = useRef<HTMLInputElement>(null);
  const add = async (list: FileList | null) => {
    const added = await read_all(list);
    onChoose([...chosen.filter((old) => !added.some((one) => one.name === old.name)), ...added]);
    if (input.current) input.current.value = ""; // the same file again is a change
  };
  const there = files_of(chosen, check);
  return (
    <>
      <label class="field">
        <span>The files that it names: instructions, guidelines, known verdicts</span>
        <input ref={input} type="file" multiple onChange={(event) => void add(event.currentTarget.files)} />
      </label>
      {check === null && chosen.length > 0 && (
        <p class="note">
          Chosen: <InertText text={chosen.map((file) => file.name).join(", ")} />
        </p>
      )}
      {check !== null && (
        <ul class="run-files" aria-label="Files">
          {check.files.map((file) => (
            <li key={`${file.key} ${file.name}`}>
              <code>
                <InertText text={file.name} />
              </code>{" "}
              <span class="soft">
                <InertText text={file.key} />
              </span>{" "}
              <Pill
                name={file.name in there ? "done" : "needs_review"}
                text={file.name in there ? "there" : "missing"}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
