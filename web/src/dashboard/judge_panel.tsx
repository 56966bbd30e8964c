// How each annotator fares: what it settled, what failed, how often it was content.
import { with_query } from "../api/client";
import type { Annotator } from "../api/types";
import { InertText } from "../components/inert_text";
import { Pill } from "../components/pieces";
import { count, percent } from "../format";

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
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
              {annotators.map(({ id, name, version, kind, judgments }) => (
                <tr key={id}>
                  <th scope="row" title={`version ${version}`}>
                    <a href={with_query("/responses", { run, annotator: id })}>
                      <InertText text={name} />
                    </a>{" "}
                    <Pill name={kind} />
                  </th>
                  <td>{count(judgments.done)}</td>
                  <td>{count(judgments.pending)}</td>
                  <td class={judgments.failed > 0 ? "out" : undefined}>
                    {count(judgments.failed)}
                    {judgments.failed > 0 && (
                      <span class="soft"> {percent(share(judgments.failed, judgments.failed + judgments.done))}</span>
                    )}
                  </td>
                  <td>{percent(share(judgments.positive, judgments.positive + judgments.negative))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="note">A failed judgment is a state and never a label: nothing of it is trained on.</p>
    </section>
  );
}
