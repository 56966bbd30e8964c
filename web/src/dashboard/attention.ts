// What needs the operator, most urgent first. Pure: from the latest replies to sentences and the one thing to do.
import type { LedgerPage, QueueCounts, QueueRound, Run, Status } from "../api/types";
import { count, decimal, dollars } from "../format";
import { open_balances, scope_text } from "./spend";

export interface Concern {
  key: string;
  tone: "bad" | "warn" | "active";
  title: string;
  text: string;
  /** A change that the operator may ask for here. */
  action?: { name: string; path: string };
  /** Where to look. */
  link?: { name: string; href: string };
}

const kLowDiskBytes = 5e9;
const kNearlySpent = 0.9;

function run_concern(run: Run): Concern | null {
  const name = run.name === "" ? `Run ${run.id}` : run.name;
  const link = { name: "Open the run", href: `/runs/${run.id}` };
  if (run.state === "paused") {
    const action = { name: "Resume", path: `/api/v1/runs/${run.id}/resume` };
    return { key: `run ${run.id}`, tone: "warn", title: `${name} is paused`, text: run.reason, action, link };
  }
  if (run.state === "failed") {
    return { key: `run ${run.id}`, tone: "bad", title: `${name} has failed`, text: run.reason, link };
  }
  return null;
}

function spend_concerns(ledger: LedgerPage): Concern[] {
  const list: Concern[] = [];
  // A round that is over and a day that has passed ask nobody for anything.
  for (const balance of open_balances(ledger)) {
    const { annotator, scope, cap, spent, reserved } = balance;
    if (cap === null || cap === 0 || spent + reserved < kNearlySpent * cap) continue;
    list.push({
      key: `spend ${annotator} ${scope}`,
      tone: spent + reserved >= cap ? "bad" : "warn",
      title: spent + reserved >= cap ? "A spending cap is reached" : "A spending cap is nearly reached",
      text: `${annotator}, ${scope_text(balance)}: ${dollars(spent)} spent and ${dollars(reserved)} reserved of ${dollars(cap)}.`,
    });
  }
  return list;
}

function queue_concerns(queue: QueueCounts): Concern[] {
  const list: Concern[] = [];
  if (queue.needs_review > 0) {
    const text = `${count(queue.needs_review)} ${queue.needs_review === 1 ? "item" : "items"} skipped by everyone or judged differently.`;
    const link = { name: "Decide", href: "/review" };
    list.push({ key: "review", tone: "warn", title: "The queue needs a decision", text, link });
  }
  if (queue.open + queue.leased > 0) {
    const text = `${count(queue.open)} open, ${count(queue.leased)} in work, ${count(queue.submitted)} of ${count(queue.needed)} judgments there.`;
    list.push({ key: "people", tone: "active", title: "People are asked", text });
  }
  return list;
}

/** Queues that are still open, and whose people do not agree. */
function agreement_concerns(rounds: QueueRound[]): Concern[] {
  return rounds
    .filter((round) => round.low_agreement && round.state !== "closed")
    .map((round) => ({
      key: `agreement ${round.round} ${round.evaluation} ${round.annotator}`,
      tone: "warn",
      title: "People do not agree",
      text: `Krippendorff's alpha is ${decimal(round.alpha ?? 0, 2)}; below 0.667 nothing follows from the judgments. Look at the guidelines and at items judged differently.`,
      link: { name: "Look at the items", href: "/review" },
    }));
}

export function concerns(
  runs: Run[],
  status: Status | null,
  ledger: LedgerPage | null,
  queue: QueueCounts | null,
  queues: QueueRound[] = [],
): Concern[] {
  const list: Concern[] = [];
  if (status?.failure)
    list.push({ key: "daemon", tone: "bad", title: "The daemon has stopped working", text: status.failure });
  // Of the runs only the newest can want something; what failed before has been looked at.
  const newest = runs[runs.length - 1];
  const from_run = newest ? run_concern(newest) : null;
  if (from_run) list.push(from_run);
  for (const trouble of status?.judge_troubles ?? []) {
    const key = `judge ${trouble.annotator}`;
    list.push({ key, tone: "warn", title: `${trouble.annotator} does not answer`, text: trouble.text });
  }
  if (status && status.free_disk_bytes < kLowDiskBytes) {
    const text = `${(status.free_disk_bytes / 1e9).toFixed(1)} GB are free. Rounds stop when the disk is full.`;
    list.push({ key: "disk", tone: "warn", title: "The disk is nearly full", text });
  }
  if (ledger) list.push(...spend_concerns(ledger));
  if (queue) list.push(...queue_concerns(queue));
  list.push(...agreement_concerns(queues));
  const order = { bad: 0, warn: 1, active: 2 };
  return list.sort((a, b) => order[a.tone] - order[b.tone]);
}
