import { describe, expect, it } from "vitest";
import { concerns } from "../../../web/src/dashboard/attention";
import { score_points } from "../../../web/src/dashboard/score_points";
import { open_balances, scope_text, spent_in_all, spent_on_evaluations } from "../../../web/src/dashboard/spend";
import { families, member_name, type Member } from "../../../web/src/lineage/tree";
import { funnel_stages } from "../../../web/src/round/funnel_stages";
import { token_runs } from "../../../web/src/responses/tokens";
import { changed, filters_of } from "../../../web/src/responses/filters";
import { kLedger } from "../../../web/mock/ledger";
import { kCounts, kQueueRounds } from "../../../web/mock/queue";
import * as world from "../../../web/mock/world";
import type {
  Adapter,
  Balance,
  LedgerPage,
  Progress,
  QueueRound,
  Round,
  Run,
  Status,
} from "../../../web/src/api/types";

const kRun = world.kRuns[1] as Run;

const of_total = (spent: number): Balance => ({
  annotator: "a",
  scope: "total",
  cap: 100,
  spent,
  reserved: 0,
  open: true,
});
const ledger = (balances: Balance[]): LedgerPage => ({ run: null, rounds: [], balances, entries: [], next: null });

describe("concerns", () => {
  it("says nothing when nothing is wrong", () => {
    expect(concerns([kRun], null, null, null)).toEqual([]);
  });
  it("names a paused run with its reason and offers to resume it", () => {
    const [first] = concerns([{ ...kRun, state: "paused", reason: "the day's cap is reached" }], null, null, null);
    expect(first).toMatchObject({
      tone: "warn",
      text: "the day's cap is reached",
      action: { name: "Resume", path: "/api/v1/runs/2/resume" },
    });
  });
  it("leaves old failures alone once a newer run is there", () => {
    const failed: Run = { ...kRun, id: 1, state: "failed" };
    expect(concerns([failed, kRun], null, null, null)).toEqual([]);
    expect(concerns([failed], null, null, null)[0]?.tone).toBe("bad");
  });
  it("names a judge that does not answer, in the daemon's words", () => {
    const status: Status = {
      epoch: 1,
      uptime_seconds: 1,
      failure: null,
      engine: { running: true, phase: "", starts: 1, last_failure: "" },
      progress: {} as Progress,
      url: null,
      judge_troubles: [{ annotator: "critic", text: "judge critic does not answer: HTTP 503", since: "" }],
      free_disk_bytes: 1e12,
    };
    expect(concerns([kRun], status, null, null)).toMatchObject([
      { tone: "warn", title: "critic does not answer", text: "judge critic does not answer: HTTP 503" },
    ]);
  });
  it("warns of a cap before it is reached, and puts the worst first", () => {
    expect(concerns([kRun], null, ledger([of_total(89)]), null)).toEqual([]);
    expect(concerns([kRun], null, ledger([of_total(90)]), null)[0]?.tone).toBe("warn");
    const list = concerns([{ ...kRun, state: "paused" }], null, ledger([of_total(100)]), kCounts);
    expect(list.map((one) => one.tone)).toEqual(["bad", "warn", "warn", "active"]);
  });
  it("says nothing of the caps of rounds that are over and of days that have passed", () => {
    const full = { ...of_total(100), open: false };
    const over = [
      { ...full, scope: "round:3" },
      { ...full, scope: "evaluation:2" },
      { ...full, scope: "day:2026-01-01" },
    ];
    expect(concerns([kRun], null, ledger(over), null)).toEqual([]);
    const now = over.map((balance) => ({ ...balance, open: true }));
    expect(concerns([kRun], null, ledger(now), null)).toHaveLength(3);
  });
  it("tells two annotators with the same cap apart", () => {
    const both = [of_total(95), { ...of_total(95), annotator: "b" }];
    const list = concerns([kRun], null, ledger(both), null);
    expect(new Set(list.map((one) => one.key)).size).toBe(2);
    expect(list.map((one) => one.text.split(":")[0])).toEqual(["a, in all", "b, in all"]);
  });
  it("asks to look where people do not agree, as long as the queue is open", () => {
    const [, closed] = kQueueRounds as [QueueRound, QueueRound];
    expect(concerns([kRun], null, null, null, [closed])).toEqual([]);
    expect(concerns([kRun], null, null, null, [{ ...closed, state: "open" }])).toMatchObject([
      { tone: "warn", title: "People do not agree", text: expect.stringContaining("0.64") },
    ]);
  });
});

describe("what the panels show", () => {
  it("charts the untrained model and every evaluated round", () => {
    const points = score_points(world.run_details(kRun).summary);
    expect(points.map((point) => point.kind)).toEqual(["untrained", "promoted", "promoted", "rejected", "promoted"]);
  });
  it("counts a payment once, whatever balances it is booked in", () => {
    const { of_run } = kLedger;
    const booked = of_run.balances.reduce((sum, balance) => sum + balance.spent, 0);
    const all = spent_in_all(of_run);
    expect(booked).toBe(3 * all.spent);
    expect(all.spent).toBe((of_run.run?.spent ?? 0) + 402_000); // another annotator's, of another run
    expect(all.reserved).toBe(of_run.run?.reserved);
    expect(spent_on_evaluations(of_run)).toEqual({ spent: 318_000, reserved: 0 });
  });
  it("shows the caps that can still stop something, one annotator after another", () => {
    const shown = open_balances(kLedger.of_run).map((balance) => `${balance.annotator} ${scope_text(balance)}`);
    expect(shown).toEqual(["claude in all", "gpt-4o-mini in all", "gpt-4o-mini today (UTC)", "gpt-4o-mini round #15"]);
    expect(scope_text({ scope: "day:2026-11-24", open: false })).toBe("on 2026-11-24");
  });
  it("tells each loss of the funnel", () => {
    const details = world.round_details(14);
    if (!details) throw new Error("no round");
    const stages = funnel_stages({
      ...details,
      funnel: {
        ...details.funnel,
        planned: 400,
        generated: 390,
        judged: 380,
        failed: 7,
        trained: 370,
        positives: 200,
        negatives: 180,
      },
    });
    expect(stages.map((stage) => stage.lost ?? "")).toEqual([
      "10 not yet written",
      "12 broke off at the token limit, 3 wait for a judgment, 7 without a usable judgment",
      "200 perfect, 180 criticised, 10 left out by sampling",
      "",
    ]);
  });
  it("hangs each adapter below its parent", () => {
    const [family] = families(world.kAdapters, world.kRounds);
    const line = (members: { adapter: Adapter; children: never[] | unknown[] }[]): unknown =>
      members.map((one) => [one.adapter.id, line(one.children as never)]);
    expect(line(family?.members as never)).toEqual([
      [
        101,
        [
          [
            102,
            [
              [103, []],
              [104, []],
            ],
          ],
        ],
      ],
    ]);
    expect(family?.members[0]?.delta?.id).toBe(201);
  });
  it("names the run of what builds on another run's adapter", () => {
    const parent = world.kAdapters.find((one) => one.id === 101) as Adapter;
    const night = world.kRounds[0] as Round;
    const built: Adapter = { ...parent, id: 301, round: 30, parent: 101 };
    const [family] = families([parent, built], [night, { ...night, id: 30, run: 3, number: 1, parent_adapter: 101 }]);
    const first = family?.members[0] as Member;
    expect(member_name(first, 2)).toBe("Round 1");
    expect(member_name(first.children[0] as Member, 2)).toBe("Run 3, round 1");
  });
  it("joins neighbouring tokens of one kind", () => {
    const token = (text: string, detected: boolean) => ({
      id: 1,
      text,
      logprob: -1,
      logprob_with_judgment: -0.5,
      detected,
    });
    const runs = token_runs([token("a", false), token("b", true), token("c", true), token("d", false)]);
    expect(runs.map(({ text, detected }) => [text, detected])).toEqual([
      ["a", false],
      ["bc", true],
      ["d", false],
    ]);
  });
  it("drops the round when the run changes", () => {
    const filters = filters_of(new URLSearchParams("run=1&round=4&search=&other=x"));
    expect(filters).toEqual({ run: "1", round: "4" });
    expect(changed(filters, "run", "2")).toEqual({ run: "2" });
    expect(changed(filters, "round", "")).toEqual({ run: "1" });
  });
});
