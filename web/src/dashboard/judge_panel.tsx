// How each annotator fares: what it settled, what failed, how often it was content, and how its requests go.
import { with_query } from "../api/client";
import type { Annotator, RequestFigures } from "../api/types";
import { InertText } from "../components/inert_text";
import { Pill } from "../components/pieces";
import { count, dollars, duration, kNothing, percent } from "../format";

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** A number of things that should be none, with its share. */
function Faults({ part, whole }: { part: number; whole: number }) {
  return (
    <td class={part > 0 ? "out" : undefined}>
      {count(part)}
      {part > 0 && <span class="soft"> {percent(share(part, whole))}</span>}
    </td>
  );
}

function FaultShare({ part, whole }: { part: number; whole: number }) {
  return (
    <td class={part > 0 ? "out" : undefined} title={`${count(part)} of ${count(whole)}`}>
      {percent(share(part, whole))}
    </td>
  );
}

function Row({ annotator, run }: { annotator: Annotator; run: number | null }) {
  const { id, name, version, kind, judgments } = annotator;
  return (
    <tr>
      <th scope="row" title={`version ${version}`}>
        <a href={with_query("/responses", { run, annotator: id })}>
          <InertText text={name} />
        </a>{" "}
        <Pill name={kind} />
      </th>
      <td>{count(judgments.done)}</td>
      <td>{count(judgments.pending)}</td>
      <Faults part={judgments.failed} whole={judgments.failed + judgments.done} />
      <td>{percent(share(judgments.positive, judgments.positive + judgments.negative))}</td>
    </tr>
  );
}

function RequestsRow({ name, requests }: { name: string; requests: RequestFigures }) {
  const { median_seconds, slow_seconds } = requests;
  return (
    <tr>
      <th scope="row">
        <InertText text={name} />
      </th>
      <td>
        {median_seconds === null ? kNothing : duration(median_seconds)}
        {slow_seconds !== null && <span class="soft"> to {duration(slow_seconds)}</span>}
      </td>
      <FaultShare part={requests.refused} whole={requests.count} />
      <FaultShare part={requests.truncated} whole={requests.count} />
      <FaultShare part={requests.failed + requests.unknown} whole={requests.count} />
      <td>{dollars(requests.mean_cost)}</td>
    </tr>
  );
}

function Requests({ annotators }: { annotators: Annotator[] }) {
  const asked = annotators.filter(({ requests }) => requests !== null);
  if (asked.length === 0) return null;
  return (
    <div class="scroll judge-requests" tabIndex={0} role="region" aria-label="Judges' requests">
      <table>
        <thead>
          <tr>
            <th scope="col" title="the newest that were sent, at most 1,000 of all annotators">
              requests
            </th>
            <th scope="col" title="median time until the answer, and what nine of ten take at most">
              answered in
            </th>
            <th scope="col" title="the model declined, or its provider withheld the answer">
              refused
            </th>
            <th scope="col" title="the answer ended at its token limit">
              cut off
            </th>
            <th scope="col" title="no answer came, or nobody knows whether one did">
              no answer
            </th>
            <th scope="col" title="mean price of an answer">
              cost each
            </th>
          </tr>
        </thead>
        <tbody>
          {asked.map(({ id, name, requests }) => requests && <RequestsRow key={id} name={name} requests={requests} />)}
        </tbody>
      </table>
    </div>
  );
}

export function JudgePanel({ annotators, run }: { annotators: Annotator[]; run: number | null }) {
  return (
    <section class="panel" aria-labelledby="judges-title">
      <header>
        <h2 id="judges-title">Judge health</h2>
      </header>
      {annotators.length === 0 ? (
        <p class="note">No annotator has judged anything yet.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Judges">
          <table>
            <thead>
              <tr>
                <th scope="col">annotator</th>
                <th scope="col">judged</th>
                <th scope="col">waiting</th>
                <th scope="col">failed</th>
                <th scope="col" title="share of positive labels among all labels">
                  perfect
                </th>
              </tr>
            </thead>
            <tbody>
              {annotators.map((annotator) => (
                <Row key={annotator.id} annotator={annotator} run={run} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Requests annotators={annotators} />
      <p class="note">A failed judgment is a state and never a label: nothing of it is trained on.</p>
    </section>
  );
}
