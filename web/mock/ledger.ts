// The mock's money, booked as the daemon books it: each payment in the balance of its round or evaluation, of its day
// and of its annotator in all. Two annotators are paid; one of them worked in an earlier run only.
import type { Balance, LedgerPage } from "../src/api/types";
import { at, kSummaries } from "./world";

const kSpentOnRounds = [1_004_000, 968_000, 1_020_000, 941_000, 612_000];
const kSpentOnEvaluations = 318_000;
const kReservedNow = 96_000;
const kEarlier = 402_000; // by the other annotator, in run 1

const balance = (scope: string, cap: number | null, spent: number, reserved: number, open: boolean): Balance => ({
  annotator: "gpt-4o-mini",
  scope,
  cap,
  spent,
  reserved,
  open,
});

const spent_on_run = kSpentOnRounds.reduce((sum, spent) => sum + spent, kSpentOnEvaluations);

const rounds = kSummaries.map((one, i) => ({
  round: one.id,
  number: one.number,
  spent: kSpentOnRounds[i] as number,
  reserved: one.number === 5 ? kReservedNow : 0,
}));

const balances: Balance[] = [
  ...rounds.map(({ round, spent, reserved }) => balance(`round:${round}`, 1_050_000, spent, reserved, round === 15)),
  balance("evaluation:31", 1_050_000, kSpentOnEvaluations, 0, false),
  // The first day's cap was reached; the second day is today.
  balance("day:2026-11-24", 2_000_000, 2_000_000, 0, false),
  balance("day:2026-11-25", 4_000_000, spent_on_run - 2_000_000, kReservedNow, true),
  balance("total", 10_000_000, spent_on_run, kReservedNow, true),
  { ...balance("round:3", 500_000, kEarlier, 0, false), annotator: "claude" },
  { ...balance("day:2026-11-23", 500_000, kEarlier, 0, false), annotator: "claude" },
  { ...balance("total", 3_000_000, kEarlier, 0, true), annotator: "claude" },
];

const entries = Array.from({ length: 50 }, (_, i) => ({
  id: 1500 - i,
  kind: "settle" as const,
  amount: 1900 + 20 * (i % 30),
  run: 2,
  round: 15,
  annotator: 1,
  note: `attempt ${800 - i} (1. try at judgment ${5000 - i})`,
  at: at(440 - i),
}));

const of_run: LedgerPage = {
  run: { spent: spent_on_run, reserved: kReservedNow },
  rounds: rounds.reverse(),
  balances,
  entries,
  next: "1450",
};

export const kLedger = { of_run, of_all: { ...of_run, run: null, rounds: [] } satisfies LedgerPage };
