// One round: what became of its instructions, how training went, what decided its fate, what happened when.
import { useEffect } from "preact/hooks";
import { with_query } from "../api/client";
import { useNews } from "../api/events";
import { useResource, useThrottled } from "../api/resource";
import type { RoundDetails, RoundEvent, Step } from "../api/types";
import { Funnel } from "../charts/funnel";
import { Histogram } from "../charts/histogram";
import { LineChart } from "../charts/line_chart";
import { ActionButton } from "../components/action_button";
import { InertText } from "../components/inert_text";
import { Card, Failure, Loading, Pill } from "../components/pieces";
import { count, date_time, interval, judged, percent, points, short_hash } from "../format";
import { EventsList } from "../round/events_list";
import { funnel_stages } from "../round/funnel_stages";
import { GuardsTable } from "../round/guards_table";
import { first_known, series } from "../round/steps";
import type { Page } from "../route";
import { may_operate, useSession } from "../session";
import "../style/round.css";

const kNewsMs = 400;

function Outcome({ details }: { details: RoundDetails }) {
  const { summary } = details;
  return (
    <section class="cards" aria-label="The round in numbers">
      {summary.gate && (
        <Card
          label="Score on the gate set"
          under={`95 % interval ${interval(summary.gate.interval)}; ${judged(summary.gate)}`}
        >
          {summary.gate_parent && <span class="from">{percent(summary.gate_parent.score)} →</span>}{" "}
          <span class="to">{percent(summary.gate.score)}</span>
        </Card>
      )}
      {summary.difference && (
        <Card
          label="Paired difference to the parent"
          under={`95 % interval ${points(summary.difference.interval[0])} to ${points(summary.difference.interval[1])} points`}
        >
          {points(summary.difference.value)}
        </Card>
      )}
      <Card label="Perfect at first" under={`of ${count(summary.responses)} responses written for training`}>
        {percent(
          summary.positives + summary.negatives > 0
            ? summary.positives / (summary.positives + summary.negatives)
            : null,
        )}
      </Card>
      <Card
        label="Inappropriate tokens"
        under={
          summary.training_steps > 0
            ? `of criticised responses, over ${count(summary.training_steps)} steps`
            : "known once it trains"
        }
      >
        {percent(summary.detected_fraction)}
      </Card>
    </section>
  );
}

function Actions({ details, onDone }: { details: RoundDetails; onDone: () => void }) {
  const { round } = details;
  const run = `/api/v1/runs/${round.run}`;
  if (round.phase === "completed" || round.phase === "cancelled") return null;
  return (
    <div class="actions">
      {round.phase === "failed" && (
        <ActionButton name="Retry" path={`/api/v1/rounds/${round.id}/retry`} onDone={onDone} />
      )}
      {round.phase === "paused" && <ActionButton name="Resume" path={`${run}/resume`} onDone={onDone} />}
      {round.phase !== "failed" && round.phase !== "paused" && (
        <ActionButton name="Pause" path={`${run}/pause`} onDone={onDone} />
      )}
      <ActionButton
        danger
        name="Cancel the run"
        path={`${run}/cancel`}
        confirm="Cancel the run? What is there stays; the round is not trained further."
        onDone={onDone}
      />
    </div>
  );
}

function Training({ steps }: { steps: Step[] }) {
  const places = steps.map((step) => String(step.step));
  const detected = first_known(steps, ["detected_fraction"]);
  return (
    <>
      <LineChart
        title="Training loss"
        caption="Mean loss of each optimiser step; its level depends on how many satisfactory responses the step holds."
        places={places}
        placeName="step"
        values={series(steps, "loss")}
        valueName="loss"
        format={(value) => value.toFixed(3)}
        tick={(value) => String(value)}
      />
      {detected !== null && (
        <LineChart
          title="Detected tokens"
          caption="Share of the criticised responses' tokens that were found inappropriate, per optimiser step."
          places={places}
          placeName="step"
          values={series(steps, detected)}
          valueName="detected"
          format={(value) => percent(value)}
          tick={(value) => percent(value, 0)}
        />
      )}
    </>
  );
}

export default function RoundPage({ page }: { page: Extract<Page, { name: "round" }> }) {
  const session = useSession();
  const details = useResource<RoundDetails>(`/api/v1/rounds/${page.id}/summary`);
  const events = useResource<{ events: RoundEvent[] }>(`/api/v1/rounds/${page.id}/events`);
  const steps = useResource<{ steps: Step[] }>(`/api/v1/rounds/${page.id}/steps`);
  const reload = useThrottled(() => {
    details.reload();
    events.reload();
    steps.reload();
  }, kNewsMs);
  useNews({ onRound: reload, onMessage: reload, onOpen: (again) => again && reload() });
  const number = details.data?.round.number;
  useEffect(() => {
    document.title = number === undefined ? "Round · cutd" : `Round ${number} · cutd`;
  }, [number]);

  if (details.error !== null && details.data === null) return <Failure text={details.error} again={details.reload} />;
  if (details.data === null) return <Loading what="the round" />;
  const { round, summary } = details.data;
  return (
    <>
      <p class="crumbs">
        <a href="/">Dashboard</a> / <a href={`/runs/${round.run}`}>run {round.run}</a>
      </p>
      <div class="title">
        <h1>Round {round.number}</h1>
        <Pill name={round.outcome ?? round.phase} />
        <span class="spring" />
        <a class="button small" href={with_query("/responses", { round: round.id })}>
          Its responses
        </a>
        {may_operate(session) && <Actions details={details.data} onDone={reload} />}
      </div>
      <p class="note">
        Begun {date_time(round.created_at)}, last change {date_time(round.updated_at)}
        {round.retries > 0 ? `, retried ${count(round.retries)} times` : ""}
        {summary.adapter_hash ? (
          <>
            , adapter <code>{short_hash(summary.adapter_hash)}</code>
          </>
        ) : (
          ""
        )}
      </p>
      {round.reason !== "" && (
        <div
          class={`notice ${round.phase === "failed" ? "bad" : round.phase === "paused" ? "warn" : round.outcome === "promoted" ? "good" : ""}`}
        >
          <div class="said">
            <InertText text={round.reason} />
          </div>
        </div>
      )}
      <Outcome details={details.data} />
      <h2>From instructions to training examples</h2>
      <section class="panel" aria-label="Funnel">
        <p class="note">{count(details.data.funnel.instructions)} instructions were drawn.</p>
        <Funnel stages={funnel_stages(details.data)} />
      </section>
      <h2>Responses and training</h2>
      <div class="columns">
        <Histogram
          title="Words per response"
          caption={details.data.parent_words.length > 0 ? "Of this round. Dashed: the round before." : "Of this round."}
          bins={details.data.words}
          before={details.data.parent_words}
        />
        {steps.data && <Training steps={steps.data.steps} />}
        {summary.guards.length > 0 && (
          <section class="panel" aria-labelledby="guards-title">
            <header>
              <h2 id="guards-title">Guards</h2>
            </header>
            <GuardsTable guards={summary.guards} />
            <p class="note guards-note">A candidate outside any band is rejected, however well it scores.</p>
          </section>
        )}
      </div>
      <h2>Events</h2>
      <section class="panel" aria-label="Events">
        {events.data ? <EventsList events={events.data.events} /> : <Loading what="the events" />}
      </section>
    </>
  );
}
