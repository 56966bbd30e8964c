// One run: the dashboard's parts without what is of the moment, and its configuration.
import { useEffect } from "preact/hooks";
import { with_query } from "../api/client";
import { useNews } from "../api/events";
import { useResource, useThrottled } from "../api/resource";
import type { LedgerPage, RunDetails } from "../api/types";
import { ScoreChart } from "../charts/score_chart";
import { ActionButton } from "../components/action_button";
import { InertText } from "../components/inert_text";
import { Failure, Loading, Pill } from "../components/pieces";
import { RoundsTable } from "../dashboard/rounds_table";
import { RunCards } from "../dashboard/run_cards";
import { run_name } from "../dashboard/run_picker";
import { score_points } from "../dashboard/score_points";
import { SpendPanel } from "../dashboard/spend_panel";
import { date_time } from "../format";
import type { Page } from "../route";
import { may_operate, useSession } from "../session";
import "../style/dashboard.css";

export default function RunPage({ page }: { page: Extract<Page, { name: "run" }> }) {
  const session = useSession();
  const run = useResource<RunDetails>(`/api/v1/runs/${page.id}`);
  const ledger = useResource<LedgerPage>(with_query("/api/v1/ledger", { run: page.id, limit: 1 }));
  const reload = useThrottled(() => {
    run.reload();
    ledger.reload();
  }, 400);
  useNews({ onRound: reload, onMessage: reload, onOpen: (again) => again && reload() });
  useEffect(() => {
    document.title = `Run ${page.id} · cutd`;
  }, [page.id]);
  if (run.error !== null && run.data === null) return <Failure text={run.error} again={run.reload} />;
  if (run.data === null) return <Loading what="the run" />;
  const { data } = run;
  const points = score_points(data.summary);
  const path = `/api/v1/runs/${data.id}`;
  return (
    <>
      <p class="crumbs">
        <a href="/">Dashboard</a>
      </p>
      <div class="title">
        <h1>
          <InertText text={run_name(data)} />
        </h1>
        <Pill name={data.state} />
        <span class="spring" />
        <a class="button small" href={with_query("/responses", { run: data.id })}>
          Its responses
        </a>
        {may_operate(session) && data.state === "active" && (
          <ActionButton name="Pause" path={`${path}/pause`} onDone={reload} />
        )}
        {may_operate(session) && data.state === "paused" && (
          <ActionButton name="Resume" path={`${path}/resume`} onDone={reload} />
        )}
        {may_operate(session) && (data.state === "active" || data.state === "paused") && (
          <ActionButton
            danger
            name="Cancel"
            path={`${path}/cancel`}
            confirm="Cancel the run? What is there stays."
            onDone={reload}
          />
        )}
      </div>
      <p class="note">
        Begun {date_time(data.created_at)}, last change {date_time(data.updated_at)}; model{" "}
        <InertText text={data.model} />
      </p>
      {data.reason !== "" && (
        <div class={`notice ${data.state === "failed" ? "bad" : data.state === "paused" ? "warn" : ""}`}>
          <div class="said">
            <InertText text={data.reason} />
          </div>
        </div>
      )}
      <RunCards run={data} ledger={ledger.data} queue={null} />
      <div class="columns dashboard-columns">
        {points.length > 0 && (
          <ScoreChart
            title="Score per round"
            points={points}
            caption="Share of Perfect judgments on the gate set, with 95 % intervals. Hollow: rejected. Dashed: the untrained model."
          />
        )}
        {ledger.data && <SpendPanel ledger={ledger.data} />}
      </div>
      <h2>Rounds</h2>
      <RoundsTable summary={data.summary} />
      <h2>Configuration</h2>
      <details class="panel">
        <summary>Everything this run was started with</summary>
        <pre class="said" dir="auto">
          <InertText text={JSON.stringify(data.config, null, 2)} />
        </pre>
      </details>
    </>
  );
}
