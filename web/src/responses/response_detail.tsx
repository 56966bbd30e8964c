// A response with its judgments beside it.
import type { JudgmentBrief, ResponseRow } from "../api/types";
import { InertText, Said } from "../components/inert_text";
import { Pill } from "../components/pieces";
import { date_time, short_hash } from "../format";
import { verdict_of } from "./response_list";
import { TokenView } from "./token_view";

function JudgmentView({ judgment }: { judgment: JudgmentBrief }) {
  const { name, text } = verdict_of(judgment);
  return (
    <section class="judgment">
      <header>
        <b>
          <InertText text={judgment.annotator_name} />
        </b>
        <Pill name={name} text={text} />
        {judgment.state === "done" && !judgment.validated && <Pill name="unknown" text="not validated" />}
        <span class="soft">{date_time(judgment.settled_at)}</span>
      </header>
      {judgment.text !== null && <Said text={judgment.text} />}
      {judgment.failure !== null && (
        <p class="out">
          <InertText text={judgment.failure} />
        </p>
      )}
      {judgment.state === "pending" && <p class="soft">No judgment yet.</p>}
    </section>
  );
}

/** The judgment that the tokens are read against: a valid one before any other. */
function criticism_of({ judgments }: ResponseRow): JudgmentBrief | undefined {
  const criticisms = judgments.filter((judgment) => judgment.state === "done" && judgment.label === "negative");
  return criticisms.find((judgment) => judgment.validated) ?? criticisms[0];
}

/** Of a round, with a valid criticism: what CUT trains on, so that its tokens are what one came for. */
function trains(response: ResponseRow, criticism: JudgmentBrief): boolean {
  return response.round !== null && response.split === "train" && criticism.validated;
}

export function ResponseDetail({ response }: { response: ResponseRow }) {
  const criticised = criticism_of(response);
  return (
    <article class="response-detail" aria-label={`Response ${response.id}`}>
      <section class="panel">
        <h2>Instruction</h2>
        <Said text={response.instruction.text} />
        {response.instruction.input !== "" && <Said soft text={response.instruction.input} />}
      </section>
      <div class="beside">
        <section class="panel">
          <h2>Response</h2>
          {criticised ? (
            <TokenView
              response={response.id}
              judgment={criticised.id}
              text={response.text}
              atOnce={trains(response, criticised)}
            />
          ) : (
            <Said text={response.text === "" ? "(empty)" : response.text} soft={response.text === ""} />
          )}
          <p class="note meta-line">
            {response.finish_reason === "length" ? "Broke off at the token limit. " : ""}
            {response.split === "train" ? (
              <>
                Written in{" "}
                <a href={response.round === null ? "/" : `/rounds/${response.round}`}>
                  round {response.round_number ?? "?"}
                </a>
              </>
            ) : (
              `Of the ${response.split} set`
            )}
            , model <code>{short_hash(response.model_hash)}</code>
          </p>
        </section>
        <section class="panel">
          <h2>{response.judgments.length === 1 ? "Judgment" : "Judgments"}</h2>
          {response.judgments.length === 0 && <p class="soft">Nobody was asked.</p>}
          {response.judgments.map((judgment) => (
            <JudgmentView key={judgment.id} judgment={judgment} />
          ))}
        </section>
      </div>
    </article>
  );
}
