// The rounds of a run, with the columns of its report.
import type { Guard, RoundSummary, RunSummary, Score } from "../api/types";
import { InertText } from "../components/inert_text";
import { Pill } from "../components/pieces";
import { count, decimal, interval, kNothing, percent, points } from "../format";

function ScoreCell({ score }: { score: Score | null }) {
  if (!score) return <td>{kNothing}</td>;
  return (
    <td>
      {percent(score.score)} <span class="soft">({interval(score.interval)})</span>
    </td>
  );
}

function GuardCell({
  guards,
  name,
  value,
  digits,
}: {
  guards: Guard[];
  name: string;
  value: number | undefined;
  digits: number;
}) {
  const guard = guards.find((one) => one.name === name);
  const outside = guard !== undefined && !guard.within;
  return (
    <td
      class={outside ? "out" : undefined}
      title={guard ? `allowed ${decimal(guard.low, 2)} to ${decimal(guard.high, 2)}` : undefined}
    >
      {decimal(value, digits)}
      {outside && <span class="hidden-visually"> outside its band</span>}
    </td>
  );
}

function GuardCells({ score, guards }: { score: Score | null; guards: Guard[] }) {
  return (
    <>
      <GuardCell guards={guards} name="mean_words" value={score?.mean_words} digits={1} />
      <GuardCell guards={guards} name="distinct_2" value={score?.distinct_2} digits={2} />
      <GuardCell guards={guards} name="perplexity" value={score?.perplexity} digits={2} />
    </>
  );
}

function RoundRow({ round }: { round: RoundSummary }) {
  return (
    <tr>
      <th scope="row">
        <a href={`/rounds/${round.id}`}>round {round.number}</a> <Pill name={round.outcome ?? round.phase} />
      </th>
      <ScoreCell score={round.gate} />
      <td>
        {round.difference ? (
          <>
            {points(round.difference.value)}{" "}
            <span class="soft">
              ({points(round.difference.interval[0])} to {points(round.difference.interval[1])})
            </span>
          </>
        ) : (
          kNothing
        )}
      </td>
      <td>
        {count(round.positives)} <span class="soft">of {count(round.responses)}</span>
      </td>
      <td>{count(round.training_examples)}</td>
      <td>
        {round.first_loss === null ? kNothing : `${decimal(round.first_loss, 2)} to ${decimal(round.last_loss, 2)}`}
      </td>
      <td>{percent(round.detected_fraction)}</td>
      <GuardCells score={round.gate} guards={round.guards} />
    </tr>
  );
}

export function RoundsTable({ summary }: { summary: RunSummary }) {
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Rounds">
        <table>
          <thead>
            <tr>
              <th scope="col">round</th>
              <th scope="col">score (95 %)</th>
              <th scope="col">to parent, points</th>
              <th scope="col" title="of the responses written for training">
                perfect
              </th>
              <th scope="col" title="responses in the training set">
                trained on
              </th>
              <th scope="col">loss</th>
              <th scope="col">detected</th>
              <th scope="col">words</th>
              <th scope="col">distinct-2</th>
              <th scope="col">perplexity</th>
            </tr>
          </thead>
          <tbody>
            {summary.baseline && (
              <tr>
                <th scope="row">
                  0 <Pill name="untrained" />
                </th>
                <ScoreCell score={summary.baseline} />
                <td>{kNothing}</td>
                <td>{kNothing}</td>
                <td>{kNothing}</td>
                <td>{kNothing}</td>
                <td>{kNothing}</td>
                <GuardCells score={summary.baseline} guards={[]} />
              </tr>
            )}
            {summary.rounds.map((round) => (
              <RoundRow key={round.id} round={round} />
            ))}
          </tbody>
        </table>
      </div>
      {summary.rounds
        .filter((round) => round.reason !== "")
        .map((round) => (
          <p key={round.id} class="note reason">
            Round {round.number}: <InertText text={round.reason} />
          </p>
        ))}
    </>
  );
}
