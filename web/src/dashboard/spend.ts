// What was spent, of the ledger's balances. Each payment is booked in three of them (its round's or evaluation's, its
// day's, the total), so that only those of one kind may be added. Pure.
import type { Balance, LedgerPage } from "../api/types";

export interface Spent {
  spent: number;
  reserved: number;
}

/** Of every annotator and run since the data folder was made. */
export function spent_in_all(ledger: LedgerPage): Spent {
  const totals = ledger.balances.filter((balance) => balance.scope === "total");
  return {
    spent: totals.reduce((sum, balance) => sum + balance.spent, 0),
    reserved: totals.reduce((sum, balance) => sum + balance.reserved, 0),
  };
}

/** What the run cost beside its rounds' training responses: the evaluations. */
export function spent_on_evaluations(ledger: LedgerPage): Spent {
  const run = ledger.run ?? { spent: 0, reserved: 0 };
  return {
    spent: run.spent - ledger.rounds.reduce((sum, round) => sum + round.spent, 0),
    reserved: run.reserved - ledger.rounds.reduce((sum, round) => sum + round.reserved, 0),
  };
}

/** A scope as people read it: "in all", "today", "round #7". */
export function scope_text({ scope, open }: Pick<Balance, "scope" | "open">): string {
  const [kind, what] = scope.split(":");
  if (kind === "total") return "in all";
  if (kind === "day") return open ? "today (UTC)" : `on ${what}`;
  if (kind === "round" || kind === "evaluation") return `${kind} #${what}`;
  return scope;
}

/** What a cap can still stop, one annotator after another, the largest scope first. */
export function open_balances(ledger: LedgerPage): Balance[] {
  const order = (scope: string): number => ["total", "day", "round", "evaluation"].indexOf(scope.split(":")[0] ?? "");
  return ledger.balances
    .filter((balance) => balance.open)
    .sort((a, b) => a.annotator.localeCompare(b.annotator) || order(a.scope) - order(b.scope));
}
