// Replies of the queue: to annotators and to their operator.
import type { InstructionText, Label } from "./types";

export interface QueueCounts {
  open: number;
  leased: number;
  submitted: number;
  needed: number;
  surplus: number;
  overdue: number;
  needs_review: number;
}

/** Of one round, or of one evaluation that people judge. */
export interface QueueRound {
  round: number | null;
  evaluation: number | null;
  annotator: number;
  state: "open" | "closing" | "closed";
  overlap: number;
  counts: QueueCounts;
  alpha: number | null;
  /** Alpha is below 0.667 over enough items: an operator has to look. */
  low_agreement: boolean;
}

export interface QueuePerson {
  user: number;
  name: string;
  submitted: number;
  skipped: number;
  draft: number;
  leased: number;
  surplus: number;
  gold_seen: number;
  gold_right: number;
  blocked: boolean;
  median_seconds: number | null;
  last_at: string | null;
}

export interface ReviewItem {
  item: string;
  round: number | null;
  response: number;
  reasons: string[];
}

export interface DraftView {
  label: Label | null;
  text: string;
  saved_at: string;
}

export interface Suggestion {
  label: Label;
  text: string;
  source: string;
}

export interface Task {
  item: string;
  lease: string;
  seconds_left: number;
  renew_within_seconds: number;
  instruction: InstructionText;
  response: { text: string };
  guideline: string;
  draft: DraftView | null;
  suggestion: Suggestion | null;
}

export interface Claim {
  task: Task | null;
  why: "empty" | "cap" | "cooling_down" | "blocked" | "closed" | null;
}

export interface QueueItem {
  item: string;
  view: "pending" | "draft" | "submitted" | "skipped";
  lease: string | null;
  instruction: InstructionText;
  response: { text: string };
  guideline: string;
  draft: DraftView | null;
  submitted: { label: Label; text: string; at: string } | null;
  skip_reason: string | null;
  updated_at: string;
}

export interface Submitted {
  item: string;
  state: "counted" | "surplus";
  submitted_at: string;
}

export interface OwnProgress {
  available: number;
  pending: number;
  draft: number;
  submitted: number;
  skipped: number;
  total: number;
  done: number;
  blocked: boolean;
}

export interface GuidelineText {
  hash: string;
  annotator: string;
  text: string;
}
