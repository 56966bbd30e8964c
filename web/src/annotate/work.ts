// The item in work as plain state: what is written, what the server has of it, whether it is still ours. Pure.
import type { Claim, Label, Submitted, Task } from "../api/types";
import { type Lease, lease_of } from "./lease";

export interface Written {
  label: Label | null;
  text: string;
}

export type SaveState =
  | { kind: "clean" } // the server has what is here
  | { kind: "changed" }
  | { kind: "saving"; written: Written }
  | { kind: "failed"; why: string };

export interface Work {
  task: Task;
  lease: Lease;
  /** The server said that the lease has ended; what is submitted now may come too late to count. */
  lost: boolean;
  written: Written;
  save: SaveState;
  saved_at: string | null;
  /** What is here came from a machine and nobody has touched it. */
  suggested: boolean;
  submitting: boolean;
  problem: string | null;
}

export type State =
  | { kind: "claiming" }
  | { kind: "nothing"; why: NonNullable<Claim["why"]> }
  | { kind: "failed"; why: string }
  | { kind: "working"; work: Work };

/** `kept`: what this browser kept of an item that the server never got; it wins over the server's draft. */
export function begin(task: Task, kept: Written | null, now: number): Work {
  const draft = task.draft ? { label: task.draft.label, text: task.draft.text } : null;
  const suggestion = task.suggestion ? { label: task.suggestion.label, text: task.suggestion.text } : null;
  return {
    task,
    lease: lease_of(task.seconds_left, now),
    lost: false,
    written: kept ?? draft ?? suggestion ?? { label: null, text: "" },
    save: kept ? { kind: "changed" } : { kind: "clean" },
    saved_at: task.draft?.saved_at ?? null,
    suggested: kept === null && draft === null && suggestion !== null,
    submitting: false,
    problem: null,
  };
}

export function same(a: Written, b: Written): boolean {
  return a.label === b.label && a.text === b.text;
}

export function write(work: Work, written: Partial<Written>): Work {
  const next = { ...work.written, ...written };
  if (same(next, work.written)) return work;
  return { ...work, written: next, save: { kind: "changed" }, suggested: false, problem: null };
}

export function saving(work: Work): Work {
  return { ...work, save: { kind: "saving", written: work.written } };
}

export function saved(work: Work, written: Written, saved_at: string, seconds_left: number, now: number): Work {
  const clean = same(work.written, written);
  return {
    ...work,
    save: clean ? { kind: "clean" } : { kind: "changed" },
    saved_at,
    lease: lease_of(seconds_left, now),
  };
}

/** What stands between this work and its submission; null: nothing. */
export function obstacle(written: Written): string | null {
  if (written.label === null) return "Choose a verdict first.";
  if (written.label === "negative" && written.text.trim() === "") return "Say what is wrong and how it should be.";
  return null;
}

export function submitted_message(submitted: Submitted): string {
  return submitted.state === "counted"
    ? "Submitted."
    : "Kept, but not counted: it came after the reservation had ended and others had finished the item.";
}
