// What became of each instruction: bars that only shrink, and beside each what was lost and why.
import { count, percent } from "../format";

export interface FunnelStage {
  name: string;
  count: number;
  /** What did not pass on to the next stage: "12 refused, 3 truncated". */
  lost?: string;
}

export function Funnel({ stages }: { stages: FunnelStage[] }) {
  const most = Math.max(1, ...stages.map((stage) => stage.count));
  return (
    <ol class="funnel">
      {stages.map((stage) => (
        <li key={stage.name}>
          <span class="stage">{stage.name}</span>
          <span class="amount">
            {count(stage.count)} <span class="soft">{percent(stage.count / most, 0)}</span>
          </span>
          <span class="bar" aria-hidden="true">
            <svg viewBox="0 0 100 8" preserveAspectRatio="none">
              <rect width={(100 * stage.count) / most} height="8" />
            </svg>
          </span>
          {stage.lost !== undefined && stage.lost !== "" && <span class="lost">{stage.lost}</span>}
        </li>
      ))}
    </ol>
  );
}
