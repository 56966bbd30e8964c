// Adapters as the family they are: each round's cumulative adapter below the one it was trained on. Pure.
import type { Adapter, Round } from "../api/types";

export interface Member {
  adapter: Adapter;
  /** What the round alone trained; null where it is not kept. */
  delta: Adapter | null;
  round: Round | null;
  children: Member[];
}

export interface Family {
  run: number;
  /** Trained on the base model itself; runs that build on this one follow below them. */
  members: Member[];
}

/** "Round 2", or "Run 3, round 2" below another run's adapters. */
export function member_name(member: Member, family: number): string {
  if (!member.round) return `Adapter ${member.adapter.id}`;
  const { run, number } = member.round;
  return run === family ? `Round ${number}` : `Run ${run}, round ${number}`;
}

/** Newest run first; within a run by round. A quarantined copy stands beside its replacement. */
export function families(adapters: Adapter[], rounds: Round[]): Family[] {
  const round_of = new Map(rounds.map((round) => [round.id, round]));
  const deltas = new Map(
    adapters.filter((one) => one.kind === "delta" && one.state === "verified").map((one) => [one.round, one]),
  );
  const members = new Map<number, Member>();
  for (const adapter of adapters) {
    if (adapter.kind !== "cumulative") continue;
    const round = round_of.get(adapter.round) ?? null;
    members.set(adapter.id, { adapter, delta: deltas.get(adapter.round) ?? null, round, children: [] });
  }
  const by_run = new Map<number, Family>();
  for (const member of [...members.values()].sort((a, b) => a.adapter.id - b.adapter.id)) {
    const parent = member.adapter.parent === null ? undefined : members.get(member.adapter.parent);
    if (parent) {
      parent.children.push(member);
      continue;
    }
    const run = member.round?.run ?? 0;
    const family = by_run.get(run) ?? { run, members: [] };
    family.members.push(member);
    by_run.set(run, family);
  }
  return [...by_run.values()].sort((a, b) => b.run - a.run);
}
