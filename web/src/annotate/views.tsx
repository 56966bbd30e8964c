// The page's views with their counts, and how far one is, oneself and together.
import type { OwnProgress } from "../api/types";
import { Bar } from "../components/pieces";
import { count } from "../format";
import { kQueueViews, type QueueView } from "../route";

export function view_address(view: QueueView): string {
  return view === "pending" ? "/annotate" : `/annotate/${view}`;
}

export function Views({ view, progress }: { view: QueueView; progress: OwnProgress | null }) {
  return (
    <nav class="views" aria-label="Views">
      {kQueueViews.map((name) => {
        const amount = name === "pending" ? progress?.available : progress?.[name];
        return (
          <a key={name} href={view_address(name)} aria-current={name === view ? "page" : undefined}>
            {name}
            {amount !== undefined && <span class="amount">{count(amount)}</span>}
          </a>
        );
      })}
    </nav>
  );
}

export function ProgressLine({ progress }: { progress: OwnProgress | null }) {
  if (progress === null) return null;
  const share = progress.total > 0 ? progress.done / progress.total : 0;
  return (
    <div class="own-progress">
      <span>
        You: <b>{count(progress.submitted)}</b> submitted
      </span>
      <span class="soft">
        Everyone: {count(progress.done)} of {count(progress.total)}
      </span>
      <Bar share={share} label="Judgments of everyone in the open rounds" tone={share >= 1 ? "good" : ""} />
    </div>
  );
}
