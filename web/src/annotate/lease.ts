// Rules of a lease as the page keeps it: when to renew, when to warn, when it is over. Pure; times are
// milliseconds of one monotonic clock.

export interface Lease {
  /** When the server lets others have the item. */
  ends_at: number;
  renewed_at: number;
}

export type LeaseState = "held" | "ending" | "over";

export const kRenewEveryMs = 60_000;
export const kWarnMs = 120_000;
/** Who has not touched the page for so long keeps nobody waiting: the lease runs out. */
export const kAwayMs = 10 * 60_000;

export function lease_of(seconds_left: number, now: number): Lease {
  return { ends_at: now + 1000 * seconds_left, renewed_at: now };
}

export function lease_state(lease: Lease, now: number): LeaseState {
  if (now >= lease.ends_at) return "over";
  return lease.ends_at - now <= kWarnMs ? "ending" : "held";
}

export function should_renew(lease: Lease, now: number, active_at: number): boolean {
  if (now >= lease.ends_at || now - active_at > kAwayMs) return false;
  // A short lease is renewed at half its time.
  const every = Math.min(kRenewEveryMs, Math.max(1000, (lease.ends_at - lease.renewed_at) / 2));
  return now - lease.renewed_at >= every;
}
