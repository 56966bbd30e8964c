// What waits for people, how far they agree, and who did how much.
import type { QueueCounts, QueuePerson, QueueRound } from "../api/types";
import { ActionButton } from "../components/action_button";
import { InertText } from "../components/inert_text";
import { Bar, Pill } from "../components/pieces";
import { ago, count, decimal, duration, kNothing } from "../format";

const kTentative = 0.667; // Krippendorff: below it no conclusion holds
const kReliable = 0.8;

function Alpha({ alpha }: { alpha: number | null }) {
  if (alpha === null) return <>{kNothing}</>;
  const word = alpha >= kReliable ? "reliable" : alpha >= kTentative ? "tentative" : "too low";
  return (
    <span
      class={alpha < kTentative ? "out" : undefined}
      title="Krippendorff's alpha: 0.8 is reliable, below 0.667 nothing follows"
    >
      {decimal(alpha, 2)} <span class="soft">{word}</span>
    </span>
  );
}

function queue_name({ round, evaluation }: QueueRound): string {
  return round === null ? `Evaluation #${evaluation}` : `Round #${round}`;
}

function QueueName({ round }: { round: QueueRound }) {
  return round.round === null ? <>{queue_name(round)}</> : <a href={`/rounds/${round.round}`}>{queue_name(round)}</a>;
}

interface QueueProps {
  rounds: QueueRound[];
  counts: QueueCounts | null;
  mayAct: boolean;
  onDone: () => void;
}

export function QueuePanel({ rounds, counts, mayAct, onDone }: QueueProps) {
  return (
    <section class="panel" aria-labelledby="queue-title">
      <header>
        <h2 id="queue-title">Queue</h2>
        {counts && counts.needed > 0 && (
          <span class="soft note">
            {count(counts.open)} open · {count(counts.leased)} in work · {count(counts.overdue)} overdue ·{" "}
            {count(counts.surplus)} surplus
          </span>
        )}
      </header>
      {rounds.length === 0 && (
        <p class="note">
          No round asks people. An annotator of kind <code>human</code> in a run's configuration does.
        </p>
      )}
      {rounds.map((round) => (
        <div key={`${round.round}-${round.evaluation}-${round.annotator}`} class="balance">
          <div class="row">
            <span>
              <QueueName round={round} /> <Pill name={round.state} />{" "}
              <span class="soft">overlap {round.overlap}, agreement </span>
              <Alpha alpha={round.alpha} />
            </span>
            <span>
              {count(round.counts.submitted)} <span class="soft">of {count(round.counts.needed)}</span>
            </span>
          </div>
          <Bar
            share={round.counts.needed > 0 ? round.counts.submitted / round.counts.needed : 0}
            label={`${queue_name(round)}, judgments submitted`}
            tone={round.state === "closed" ? "good" : ""}
          />
          {mayAct && round.state === "open" && round.round !== null && (
            <div class="row end">
              <ActionButton
                name="Close the round"
                path={`/api/v1/queue/rounds/${round.round}/close`}
                confirm="Close it? Nobody gets new items; live ones are waited for, then the round goes on with what is there."
                onDone={onDone}
              />
            </div>
          )}
        </div>
      ))}
    </section>
  );
}

export function PeoplePanel({ people, onDone }: { people: QueuePerson[]; onDone: () => void }) {
  const now = Date.now();
  return (
    <section class="panel" aria-labelledby="people-title">
      <header>
        <h2 id="people-title">People</h2>
      </header>
      {people.length === 0 ? (
        <p class="note">
          Nobody has work in an open queue. <code>cutd user add</code> makes accounts, <code>cutd user link</code> the
          links to send.
        </p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="People">
          <table>
            <thead>
              <tr>
                <th scope="col">name</th>
                <th scope="col">submitted</th>
                <th scope="col">skipped</th>
                <th scope="col">in work</th>
                <th scope="col" title="gold items answered as known">
                  gold
                </th>
                <th scope="col" title="median time for one item">
                  time
                </th>
                <th scope="col">last</th>
              </tr>
            </thead>
            <tbody>
              {people.map((person) => (
                <tr key={person.user}>
                  <th scope="row">
                    <InertText text={person.name} /> {person.blocked && <Pill name="failed" text="blocked" />}{" "}
                    {person.blocked && (
                      <ActionButton
                        name="Unblock"
                        path={`/api/v1/queue/people/${person.user}/unblock`}
                        onDone={onDone}
                      />
                    )}
                  </th>
                  <td>{count(person.submitted)}</td>
                  <td>{count(person.skipped)}</td>
                  <td>{count(person.leased + person.draft)}</td>
                  <td>{person.gold_seen === 0 ? kNothing : `${person.gold_right} of ${person.gold_seen}`}</td>
                  <td>{duration(person.median_seconds)}</td>
                  <td>{person.last_at === null ? kNothing : ago(person.last_at, now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
