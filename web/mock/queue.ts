// The mock's queue as its operator sees it.
import type { QueueCounts, QueuePerson, QueueRound, ReviewItem } from "../src/api/types";
import { at } from "./world";

export const kCounts: QueueCounts = {
  open: 33,
  leased: 8,
  submitted: 79,
  needed: 120,
  surplus: 2,
  overdue: 1,
  needs_review: 1,
};

export const kQueueRounds: QueueRound[] = [
  {
    round: 15,
    evaluation: null,
    annotator: 2,
    state: "open",
    overlap: 2,
    counts: kCounts,
    alpha: 0.81,
    low_agreement: false,
  },
  {
    round: 14,
    evaluation: null,
    annotator: 2,
    state: "closed",
    overlap: 2,
    counts: { open: 0, leased: 0, submitted: 120, needed: 120, surplus: 0, overdue: 0, needs_review: 0 },
    alpha: 0.64,
    low_agreement: true,
  },
];

export const kPeople: QueuePerson[] = [
  {
    user: 2,
    name: "Ada",
    submitted: 41,
    skipped: 2,
    draft: 1,
    leased: 1,
    surplus: 0,
    gold_seen: 4,
    gold_right: 4,
    blocked: false,
    median_seconds: 48,
    last_at: at(450),
  },
  {
    user: 3,
    name: "Mehmet",
    submitted: 38,
    skipped: 0,
    draft: 0,
    leased: 1,
    surplus: 2,
    gold_seen: 4,
    gold_right: 3,
    blocked: false,
    median_seconds: 61,
    last_at: at(447),
  },
  {
    user: 4,
    name: "quick",
    submitted: 22,
    skipped: 0,
    draft: 0,
    leased: 0,
    surplus: 0,
    gold_seen: 20,
    gold_right: 11,
    blocked: true,
    median_seconds: 3.2,
    last_at: at(300),
  },
];

const review_name = (i: number): string => `review${String(i + 1).padStart(10, "0")}`;

const kReview: ReviewItem[] = [
  { item: "review0000000001", round: 15, response: 893, reasons: ["everyone skipped it: I do not know the subject"] },
  { item: "review0000000002", round: 15, response: 898, reasons: ["the judgments disagree: 1 perfect, 1 criticised"] },
];

/** `texts`: one item for each, with it as the reason. */
export function review_items(count: number, texts: readonly string[]): ReviewItem[] {
  if (texts.length > 0)
    return texts.map((text, i) => ({ item: review_name(i), round: 15, response: 1000 + i, reasons: [text] }));
  return Array.from({ length: count }, (_, i) => ({
    ...(kReview[i % kReview.length] as ReviewItem),
    item: review_name(i),
  }));
}
