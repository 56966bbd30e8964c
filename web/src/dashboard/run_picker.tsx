// Which run the dashboard shows: the newest, until another is chosen.
import { useState } from "preact/hooks";
import type { Run } from "../api/types";
import { date_time } from "../format";

export function useRunChoice(runs: Run[]): [number | null, (run: number) => void] {
  const [chosen, choose] = useState<number | null>(null);
  const newest = runs[runs.length - 1]?.id ?? null;
  return [chosen ?? newest, choose];
}

export function run_name(run: Run): string {
  return `${run.name === "" ? "Run" : run.name} #${run.id}`;
}

export function RunPicker({ runs, run, onChoose }: { runs: Run[]; run: number; onChoose: (run: number) => void }) {
  return (
    <label class="run-picker">
      <span class="soft">Run</span>
      <select value={String(run)} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
        {[...runs].reverse().map((one) => (
          <option key={one.id} value={String(one.id)}>
            {`${run_name(one)} · ${one.state} · ${date_time(one.created_at)}`}
          </option>
        ))}
      </select>
    </label>
  );
}
