// Sums over the ledger's movements. Pure.
import type { LedgerEntry } from "../api/types";

export interface RoundSpend {
  round: number | null;
  settled: number;
  requests: number;
}

/** Newest round first; movements without a round last. */
export function spend_by_round(entries: LedgerEntry[]): RoundSpend[] {
  const rows = new Map<number | null, RoundSpend>();
  for (const entry of entries) {
    if (entry.kind !== "settle") continue;
    const row = rows.get(entry.round) ?? { round: entry.round, settled: 0, requests: 0 };
    row.settled += entry.amount;
    row.requests += 1;
    rows.set(entry.round, row);
  }
  return [...rows.values()].sort((a, b) => (b.round ?? -1) - (a.round ?? -1));
}
