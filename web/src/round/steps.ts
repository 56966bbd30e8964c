// Series out of the trainer's step reports, whose keys are metric names. Pure.
import type { Step } from "../api/types";

export function series(steps: Step[], name: string): (number | null)[] {
  return steps.map(({ metrics }) => {
    const value = metrics[name];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  });
}

/** The first of `names` that any step has. */
export function first_known(steps: Step[], names: string[]): string | null {
  return names.find((name) => series(steps, name).some((value) => value !== null)) ?? null;
}
