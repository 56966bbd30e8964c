// The mock's rounds, adapters, ledger and people, as replies of the API.
import type {
  Adapter,
  Annotator,
  Guard,
  ResponseRow,
  Round,
  RoundDetails,
  RoundEvent,
  RoundSummary,
  Run,
  RunDetails,
  Score,
  Step,
} from "../src/api/types";
import { kExamples } from "./texts";

const kNight = Date.parse("2026-11-24T22:00:00Z");
export const at = (minutes: number): string => new Date(kNight + 60_000 * minutes).toISOString().replace(".000", "");
const hash = (seed: number): string =>
  Array.from({ length: 64 }, (_, i) => ((seed * 7 + i * i * 5 + seed * i) % 16).toString(16)).join("");

function score(share: number, count = 100): Score {
  const half = 1.96 * Math.sqrt((share * (1 - share)) / count);
  return {
    score: share,
    interval: [share - half, share + half],
    count,
    mean_words: 41 + 20 * share,
    distinct_2: 0.71,
    perplexity: 4.2 - share,
    ended: 0.97,
    missing: 0,
  };
}

function guards(words: number): Guard[] {
  return [
    { name: "mean_words", value: words, low: 20, high: 90, within: words <= 90 },
    { name: "distinct_2", value: 0.71, low: 0.55, high: 1e9, within: true },
    { name: "perplexity", value: 3.6, low: -1e9, high: 6, within: true },
  ];
}

const kScores = [0.44, 0.53, 0.51, 0.62];

function summary(number: number): RoundSummary {
  const value = kScores[number - 1] as number;
  const parent = number === 1 ? 0.31 : number === 4 ? 0.53 : (kScores[number - 2] as number);
  const running = number === 5;
  if (running) {
    return {
      id: 15,
      number: 5,
      phase: "judging",
      outcome: null,
      promoted: false,
      reason: "",
      score: null,
      interval: null,
      adapter: null,
      adapter_hash: null,
      difference: null,
      gate: null,
      gate_parent: null,
      guards: [],
      responses: 400,
      positives: 171,
      negatives: 96,
      judgments_failed: 3,
      training_examples: 0,
      training_steps: 0,
      first_loss: null,
      last_loss: null,
      detected_fraction: null,
    };
  }
  const promoted = number !== 3;
  return {
    id: 10 + number,
    number,
    phase: "completed",
    outcome: promoted ? "promoted" : "rejected",
    promoted,
    reason: promoted
      ? `promoted: the paired difference of ${(100 * (value - parent)).toFixed(1)} points is above 0 and every guard is within its band`
      : "rejected: the paired difference of −2.0 points (95 % −7.1 to 3.0) is not above 0",
    score: score(value).score,
    interval: score(value).interval,
    adapter: `/var/lib/cutd/adapters/${hash(number).slice(0, 16)}`,
    adapter_hash: hash(number),
    difference: { value: value - parent, interval: [value - parent - 0.05, value - parent + 0.05] },
    gate: score(value),
    gate_parent: score(parent),
    guards: guards(48 + number),
    responses: 400,
    positives: 120 + 40 * number,
    negatives: 280 - 41 * number,
    judgments_failed: number,
    training_examples: 398 - number,
    training_steps: 24,
    first_loss: 1.92 - 0.1 * number,
    last_loss: 1.31 - 0.1 * number,
    detected_fraction: 0.124 - 0.012 * number,
  };
}

export const kSummaries = [1, 2, 3, 4, 5].map(summary);

export const kRuns: Run[] = [
  {
    id: 1,
    name: "trial",
    state: "failed",
    reason: "the engine failed three times on one unit: out of memory",
    rounds_completed: 0,
    round_count: 2,
    model: "models/smollm2",
    start_adapter: null,
    serving_adapter: null,
    created_at: at(-1500),
    updated_at: at(-1400),
  },
  {
    id: 2,
    name: "night",
    state: "active",
    reason: "",
    rounds_completed: 4,
    round_count: 6,
    model: "models/llama2-13b-chat",
    start_adapter: null,
    serving_adapter: 104,
    created_at: at(0),
    updated_at: at(452),
  },
];

export function run_details(run: Run): RunDetails {
  const night = run.id === 2;
  return {
    ...run,
    config: {
      name: run.name,
      model: run.model,
      rounds: { count: run.round_count },
      objective: { name: "cut", lambda: 1.1 },
    },
    summary: {
      run: run.id,
      name: run.name,
      state: run.state,
      reason: run.reason,
      ended_by: null,
      start: null,
      baseline: night ? score(0.31) : null,
      rounds: night ? kSummaries : [],
      report_untrained: night ? score(0.33, 200) : null,
      report_kept: night ? score(0.58, 200) : null,
      seconds: night ? 27120 : 640,
    },
  };
}

export const kRounds: Round[] = kSummaries.map((one) => ({
  id: one.id,
  run: 2,
  number: one.number,
  phase: one.phase,
  outcome: one.outcome,
  reason: one.reason,
  retries: one.number === 2 ? 1 : 0,
  parent_adapter: one.number === 1 ? null : 99 + one.number,
  created_at: at(90 * (one.number - 1)),
  updated_at: at(90 * one.number - 5),
}));

const bins = (shift: number) =>
  [0, 10, 20, 30, 40, 50, 60, 70, 80, 90].map((from, i) => ({
    from,
    to: from + 9,
    count: Math.round(110 * Math.exp(-((i - 4 + shift) ** 2) / 5)),
  }));

export function round_details(id: number): RoundDetails | null {
  const round = kRounds.find((one) => one.id === id);
  const one = kSummaries.find((row) => row.id === id);
  if (!round || !one) return null;
  const judged = one.positives + one.negatives;
  return {
    round,
    summary: one,
    funnel: {
      instructions: 200,
      planned: 400,
      generated: one.responses,
      judged,
      failed: one.judgments_failed,
      positives: one.positives,
      negatives: one.negatives,
      trained: one.training_examples,
    },
    finish_reasons: { stop: 388, length: 12 },
    words: bins(0),
    parent_words: one.number > 1 ? bins(0.9) : [],
  };
}

export function steps(id: number): Step[] {
  if (id === 15) return [];
  return Array.from({ length: 24 }, (_, i) => ({
    step: i + 1,
    metrics: {
      loss: 1.9 - 0.025 * i + 0.08 * Math.sin(i * 2.3),
      detected_fraction: 0.13 - 0.002 * i + 0.01 * Math.cos(i * 1.7),
    },
  }));
}

export function events(id: number): RoundEvent[] {
  const moves: [RoundEvent["from"], RoundEvent["to"], string][] = [
    [null, "created", "round 2 of 6 begins from adapter 101"],
    ["created", "generating", "200 instructions drawn, 400 responses planned"],
    ["generating", "judging", "every response is written"],
    ["judging", "paused", "the day's cap of $2.00 is reached"],
    ["paused", "judging", "asked by the operator"],
    ["judging", "training", "387 judgments in the manifest"],
    ["training", "evaluating", "adapter published"],
    ["evaluating", "completed", "promoted"],
  ];
  return moves.map(([from, to, why], i) => ({
    id: 100 * id + i,
    round: id,
    from,
    to,
    why,
    epoch: 3,
    at: at(90 * (id - 11) + 9 * i),
  }));
}

export const kResponses: ResponseRow[] = Array.from({ length: 60 }, (_, i) => {
  const example = kExamples[i % kExamples.length] as (typeof kExamples)[number];
  const failed = i % 17 === 9;
  const pending = i % 13 === 7;
  return {
    id: 900 - i,
    run: 2,
    round: 15 - (i % 5),
    round_number: 5 - (i % 5),
    evaluation: null,
    split: "train",
    instruction: { id: 300 + (i % 6), text: example.instruction, input: example.input },
    text: example.response,
    finish_reason: i % 11 === 4 ? "length" : "stop",
    model_hash: hash(4),
    judgments: [
      {
        id: 5000 - i,
        annotator: i % 4 === 1 ? 2 : 1,
        annotator_name: i % 4 === 1 ? "team" : "gpt-4o-mini",
        state: failed ? "failed" : pending ? "pending" : "done",
        label: failed || pending ? null : example.label,
        text: failed || pending ? null : example.judgment,
        validated: !failed && !pending,
        failure: failed ? "the reply was cut off (finish_reason length)" : null,
        settled_at: pending ? null : at(440 - i),
      },
    ],
  };
});

export const kAnnotators: Annotator[] = [
  {
    id: 1,
    name: "gpt-4o-mini",
    version: "3f1a",
    kind: "llm",
    config: {},
    judgments: { pending: 130, done: 1815, failed: 13, positive: 1102, negative: 713 },
    requests: {
      count: 1000,
      received: 985,
      failed: 12,
      unknown: 3,
      refused: 4,
      truncated: 7,
      median_seconds: 2.4,
      slow_seconds: 7.9,
      mean_cost: 2210,
    },
  },
  {
    id: 2,
    name: "team",
    version: "9c02",
    kind: "human",
    config: {},
    judgments: { pending: 41, done: 79, failed: 0, positive: 51, negative: 28 },
    requests: null,
  },
];

export const kAdapters: Adapter[] = [1, 2, 3, 4].flatMap((number): Adapter[] => {
  const parent = number === 1 ? null : number === 4 ? 102 : 99 + number;
  const common = {
    round: 10 + number,
    state: "verified",
    reason: "",
    parent,
    created_at: at(90 * number - 12),
  } as const;
  return [
    {
      ...common,
      id: 100 + number,
      kind: "cumulative",
      hash: hash(number),
      folder_hash: hash(40 + number),
      path: `/var/lib/cutd/adapters/${hash(number).slice(0, 16)}`,
    },
    {
      ...common,
      id: 200 + number,
      kind: "delta",
      hash: hash(20 + number),
      folder_hash: hash(60 + number),
      path: `/var/lib/cutd/deltas/${hash(20 + number).slice(0, 16)}`,
    },
  ];
});

export const kModels = ["llama2-13b-chat", "smollm2"].map((name, i) => ({
  name,
  path: `/var/lib/cutd/models/${name}`,
  bytes: i === 0 ? 26_031_738_880 : 269_060_552,
  imported_from: null,
}));
