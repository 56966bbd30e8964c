// A run in six numbers.
import type { LedgerPage, QueueCounts, RunDetails, RunSummary, Score } from "../api/types";
import { Card } from "../components/pieces";
import { count, dollars, duration, interval, judged, percent } from "../format";
import { spent_in_all } from "./spend";

function FromTo({ from, to }: { from: Score; to: Score }) {
  return (
    <>
      <span class="from">{percent(from.score)} →</span> <span class="to">{percent(to.score)}</span>
    </>
  );
}

interface Props {
  run: RunDetails;
  ledger: LedgerPage | null;
  queue: QueueCounts | null;
}

function kept_words(kept: number | undefined, start: RunSummary["start"]): string {
  if (kept !== undefined) return `round ${kept} is kept`;
  return start ? `round ${start.round} of run ${start.run} is kept` : "none is kept yet";
}

function spent_words(ledger: LedgerPage): string {
  const all = spent_in_all(ledger);
  if (all.spent + all.reserved === 0) return "no paid judge so far";
  const reserved = ledger.run?.reserved ?? 0;
  return `${reserved > 0 ? `${dollars(reserved)} reserved; ` : ""}${dollars(all.spent)} in all runs`;
}

export function RunCards({ run, ledger, queue }: Props) {
  const { baseline, rounds, report_untrained, report_kept, seconds } = run.summary;
  const promoted = rounds.filter((round) => round.promoted);
  const kept = promoted[promoted.length - 1];
  return (
    <section class="cards" aria-label="The run in numbers">
      {report_untrained && report_kept && (
        <Card
          wide
          label="Report set, untrained to kept model"
          under={`95 % interval ${interval(report_kept.interval)}; ${judged(report_kept)} that no decision read`}
        >
          <FromTo from={report_untrained} to={report_kept} />
        </Card>
      )}
      {baseline && kept?.gate && (
        <Card
          wide
          label="Gate set, untrained to kept model"
          under={`95 % interval ${interval(kept.gate.interval)}; ${judged(kept.gate)}`}
        >
          <FromTo from={baseline} to={kept.gate} />
        </Card>
      )}
      <Card label="Rounds promoted" under={kept_words(kept?.number, run.summary.start)}>
        {promoted.length} <span class="from">of {rounds.length}</span>
      </Card>
      {ledger && (
        <Card label="Spent" under={spent_words(ledger)}>
          {dollars(ledger.run?.spent ?? 0)}
        </Card>
      )}
      {queue && (
        <Card
          label="Waits for people"
          under={
            queue.needed > 0
              ? `${count(queue.submitted)} of ${count(queue.needed)} judgments are there`
              : "the queue is empty"
          }
        >
          {count(Math.max(0, queue.needed - queue.submitted))}
        </Card>
      )}
      <Card label="Time" under="from start to the last change">
        {duration(seconds)}
      </Card>
    </section>
  );
}
