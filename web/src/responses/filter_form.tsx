import type { Annotator, Round, Run } from "../api/types";
import { run_name } from "../dashboard/run_picker";
import { changed, type FilterName, type Filters } from "./filters";

interface Props {
  filters: Filters;
  runs: Run[];
  rounds: Round[];
  annotators: Annotator[];
  /** A response is being read; on a phone it has the screen. */
  reading: boolean;
  onChange: (filters: Filters) => void;
}

interface ChoiceProps {
  name: FilterName;
  text: string;
  any: string;
  options: [string, string][];
}

export function FilterForm({ filters, runs, rounds, annotators, reading, onChange }: Props) {
  const choice = ({ name, text, any, options }: ChoiceProps) => (
    <label class="field" key={name}>
      <span>{text}</span>
      <select
        name={name}
        value={filters[name] ?? ""}
        onChange={(event) => onChange(changed(filters, name, event.currentTarget.value))}
      >
        <option value="">{any}</option>
        {options.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
  const search = (event: Event) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get("search");
    onChange(changed(filters, "search", String(text ?? "").trim()));
  };
  return (
    <form class={reading ? "filters opened" : "filters"} role="search" aria-label="Responses" onSubmit={search}>
      <label class="field search-field">
        <span>Search</span>
        <input
          type="search"
          name="search"
          placeholder="words in instruction, response or judgment"
          maxLength={200}
          defaultValue={filters.search ?? ""}
        />
      </label>
      {choice({
        name: "run",
        text: "Run",
        any: "any run",
        options: [...runs].reverse().map((run) => [String(run.id), run_name(run)]),
      })}
      {choice({
        name: "round",
        text: "Round",
        any: "any round",
        options: rounds.map((round) => [
          String(round.id),
          `round ${round.number}${filters.run ? "" : ` of run ${round.run}`}`,
        ]),
      })}
      {choice({
        name: "split",
        text: "Set",
        any: "any set",
        options: [
          ["train", "training"],
          ["gate", "gate"],
          ["report", "report"],
        ],
      })}
      {choice({
        name: "annotator",
        text: "Annotator",
        any: "anyone",
        options: annotators.map(({ id, name }) => [String(id), name]),
      })}
      {choice({
        name: "label",
        text: "Verdict",
        any: "any verdict",
        options: [
          ["positive", "perfect"],
          ["negative", "criticised"],
        ],
      })}
      {choice({
        name: "state",
        text: "Judgment",
        any: "any state",
        options: [
          ["done", "done"],
          ["pending", "waiting"],
          ["failed", "failed"],
        ],
      })}
    </form>
  );
}
