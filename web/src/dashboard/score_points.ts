// What the score chart shows of a run. Pure.
import type { RunSummary } from "../api/types";
import type { ScorePoint } from "../charts/score_chart";

export function score_points(summary: RunSummary): ScorePoint[] {
  const points: ScorePoint[] = [];
  if (summary.baseline) {
    const { score, interval, count } = summary.baseline;
    points.push({ name: "untrained", place: "0", kind: "untrained", score, interval, count });
  }
  for (const round of summary.rounds) {
    if (!round.gate) continue;
    const { score, interval, count } = round.gate;
    const kind = round.outcome ?? "open";
    points.push({ name: `round ${round.number}`, place: String(round.number), kind, score, interval, count });
  }
  if (points.length <= 6) for (const point of points) point.place = point.name;
  return points;
}
