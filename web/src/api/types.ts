// Replies of the API as schemas/openapi.yaml describes them; only what the pages read.
import type { Range } from "../format";

export type Role = "operator" | "annotator" | "viewer";
export type Split = "train" | "gate" | "report";
export type Label = "positive" | "negative";
export type JudgmentState = "pending" | "done" | "failed";
export type RunState = "active" | "paused" | "completed" | "failed" | "cancelled";
export type ActivePhase = "created" | "generating" | "judging" | "training" | "evaluating";
export type Phase = ActivePhase | "paused" | "completed" | "failed" | "cancelled";
export type Outcome = "promoted" | "rejected";

export interface Session {
  user: number | null;
  name: string;
  role: Role;
  expires_at: string | null;
}

export interface Progress {
  /** 0: nothing is running. */
  run: number;
  /** 0: work of the run itself. */
  round: number;
  round_number: number;
  round_count: number;
  activity: string;
  done: number;
  total: number;
  tokens_per_second: number;
  eta_seconds: number | null;
  elapsed_seconds: number;
  detail: string;
}

export interface Status {
  epoch: number;
  uptime_seconds: number;
  failure: string | null;
  engine: { running: boolean; phase: string; starts: number; last_failure: string };
  progress: Progress;
  url: string | null;
  /** Judges that do not answer just now. */
  judge_troubles: { annotator: string; text: string; since: string }[];
  free_disk_bytes: number;
}

export interface Run {
  id: number;
  name: string;
  state: RunState;
  reason: string;
  rounds_completed: number;
  round_count: number;
  model: string;
  /** Of an earlier run; its first round trains on it. */
  start_adapter: number | null;
  serving_adapter: number | null;
  created_at: string;
  updated_at: string;
}

export interface Score {
  score: number;
  interval: Range;
  count: number;
  mean_words: number;
  distinct_2: number;
  perplexity: number;
  ended: number;
  /** Answers without a judgment, which neither score nor count hold. */
  missing: number;
}

export interface Guard {
  name: string;
  value: number;
  low: number;
  high: number;
  within: boolean;
}

export interface RoundSummary {
  id: number;
  number: number;
  phase: Phase;
  outcome: Outcome | null;
  promoted: boolean;
  reason: string;
  score: number | null;
  interval: Range | null;
  adapter: string | null;
  adapter_hash: string | null;
  difference: { value: number; interval: Range } | null;
  gate: Score | null;
  gate_parent: Score | null;
  guards: Guard[];
  responses: number;
  positives: number;
  negatives: number;
  judgments_failed: number;
  training_examples: number;
  training_steps: number;
  first_loss: number | null;
  last_loss: number | null;
  detected_fraction: number | null;
}

export interface RunSummary {
  run: number;
  name: string;
  state: RunState;
  reason: string;
  ended_by: string | null;
  /** What it builds on; null: the base model. */
  start: { adapter: number; run: number; round: number; hash: string } | null;
  baseline: Score | null;
  rounds: RoundSummary[];
  report_untrained: Score | null;
  report_kept: Score | null;
  seconds: number;
}

export interface RunDetails extends Run {
  config: Record<string, unknown>;
  summary: RunSummary;
}

export interface Round {
  id: number;
  run: number;
  number: number;
  phase: Phase;
  outcome: Outcome | null;
  reason: string;
  retries: number;
  parent_adapter: number | null;
  created_at: string;
  updated_at: string;
}

export interface RoundEvent {
  id: number;
  round: number;
  from: Phase | null;
  to: Phase;
  why: string;
  epoch: number;
  at: string;
}

export interface Bin {
  from: number;
  to: number;
  count: number;
}

export interface RoundDetails {
  round: Round;
  summary: RoundSummary;
  funnel: {
    instructions: number;
    planned: number;
    generated: number;
    judged: number;
    failed: number;
    positives: number;
    negatives: number;
    trained: number;
  };
  finish_reasons: { stop: number; length: number };
  words: Bin[];
  parent_words: Bin[];
}

export interface Step {
  step: number;
  metrics: Record<string, unknown>;
}

export interface JudgmentBrief {
  id: number;
  annotator: number;
  annotator_name: string;
  state: JudgmentState;
  label: Label | null;
  text: string | null;
  validated: boolean;
  failure: string | null;
  settled_at: string | null;
}

export interface InstructionText {
  text: string;
  input: string;
}

export interface ResponseRow {
  id: number;
  run: number | null;
  round: number | null;
  round_number: number | null;
  evaluation: number | null;
  split: Split;
  instruction: InstructionText & { id: number };
  text: string;
  finish_reason: "stop" | "length";
  model_hash: string;
  judgments: JudgmentBrief[];
}

export interface ResponsePage {
  responses: ResponseRow[];
  next: string | null;
}

export interface Token {
  id: number;
  text: string;
  logprob: number;
  logprob_with_judgment: number;
  detected: boolean;
}

export interface ResponseTokens {
  state: "ready";
  response: number;
  judgment: number;
  judgment_text: string;
  threshold: number;
  objective: string;
  detected: number;
  tokens: Token[];
}

export interface TokensPending {
  state: "pending";
  why: string;
}

export interface Annotator {
  id: number;
  name: string;
  version: string;
  kind: string;
  config: Record<string, unknown>;
  judgments: { pending: number; done: number; failed: number; positive: number; negative: number };
  requests: RequestFigures | null;
}

/** Of the newest requests; null where none was answered. Money is micro-dollars. */
export interface RequestFigures {
  count: number;
  received: number;
  failed: number;
  unknown: number;
  refused: number;
  truncated: number;
  median_seconds: number | null;
  slow_seconds: number | null;
  mean_cost: number | null;
}

export interface Adapter {
  id: number;
  round: number;
  kind: "delta" | "cumulative";
  state: "verified" | "quarantined";
  reason: string;
  parent: number | null;
  hash: string;
  folder_hash: string;
  path: string;
  created_at: string;
}

export interface LedgerEntry {
  id: number;
  kind: "reserve" | "settle" | "release";
  amount: number;
  run: number | null;
  round: number | null;
  annotator: number | null;
  note: string;
  at: string;
}

export interface Balance {
  annotator: string;
  scope: string;
  cap: number | null;
  spent: number;
  reserved: number;
  open: boolean;
}

export interface LedgerPage {
  run: { spent: number; reserved: number } | null;
  rounds: { round: number; number: number; spent: number; reserved: number }[];
  /** Each payment is in three of them: of its round or evaluation, of its day, and in the total. */
  balances: Balance[];
  entries: LedgerEntry[];
  next: string | null;
}

export type * from "./queue_types";
