// Two histograms on one axis, as shares. Pure.
import type { Bin } from "../api/types";

export interface BinShare extends Bin {
  share: number;
  /** Of the other histogram's bin with the same bounds; null when there is no other. */
  before: number | null;
}

export function bin_shares(bins: Bin[], before: Bin[]): BinShare[] {
  const sum = (list: Bin[]): number => list.reduce((total, bin) => total + bin.count, 0);
  const total = sum(bins);
  const total_before = sum(before);
  const rows = new Map<number, BinShare>();
  const row_of = (bin: Bin): BinShare => {
    const row = rows.get(bin.from) ?? {
      from: bin.from,
      to: bin.to,
      count: 0,
      share: 0,
      before: total_before > 0 ? 0 : null,
    };
    rows.set(bin.from, row);
    return row;
  };
  for (const bin of bins) {
    const row = row_of(bin);
    row.count += bin.count;
    row.share = total > 0 ? row.count / total : 0;
  }
  for (const bin of before) {
    const row = row_of(bin);
    if (total_before > 0) row.before = (row.before ?? 0) + bin.count / total_before;
  }
  return [...rows.values()].sort((a, b) => a.from - b.from);
}
