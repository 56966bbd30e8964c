// The operator's first look: what needs someone, what runs, how the score moved, what it cost, who judges.
import { useEffect, useRef, useState } from "preact/hooks";
import { useNews } from "../api/events";
import { type Resource, useResource, useThrottled } from "../api/resource";
import type {
  Annotator,
  LedgerPage,
  Progress,
  QueueCounts,
  QueuePerson,
  QueueRound,
  Run,
  RunDetails,
  Status,
} from "../api/types";
import { with_query } from "../api/client";
import { ScoreChart } from "../charts/score_chart";
import { InertText } from "../components/inert_text";
import { Empty, Failure, Loading, Pill } from "../components/pieces";
import { JudgePanel } from "../dashboard/judge_panel";
import { AttentionPanel } from "../dashboard/attention_panel";
import { concerns } from "../dashboard/attention";
import { NowPanel } from "../dashboard/now_panel";
import { PeoplePanel, QueuePanel } from "../dashboard/queue_panel";
import { RoundsTable } from "../dashboard/rounds_table";
import { RunCards } from "../dashboard/run_cards";
import { RunPicker, useRunChoice } from "../dashboard/run_picker";
import { score_points } from "../dashboard/score_points";
import { SpendPanel } from "../dashboard/spend_panel";
import { may_operate, useSession } from "../session";
import "../style/dashboard.css";

const kSlowMs = 30_000; // what has no event of its own
const kNewsMs = 400;
const kMostMessages = 40;
const kReplayMs = 1000; // a line that opens first repeats the latest messages

export interface Message {
  /** When it came; null: before this page was opened. */
  at: number | null;
  text: string;
}

interface Live {
  progress: Progress | null;
  queue: QueueCounts | null;
  messages: Message[];
  connected: boolean;
}

/** Progress, queue counts and messages as they come; `onChange` when rounds have moved. */
function useLive(onChange: () => void): Live {
  const [progress, set_progress] = useState<Progress | null>(null);
  const [queue, set_queue] = useState<QueueCounts | null>(null);
  const [messages, set_messages] = useState<Message[]>([]);
  const opened_at = useRef(0);
  const connected = useNews({
    onProgress: set_progress,
    onQueue: set_queue,
    onRound: onChange,
    onOpen: (again) => {
      opened_at.current = performance.now();
      set_messages([]);
      if (again) onChange();
    },
    onMessage: (text) => {
      const replayed = performance.now() - opened_at.current < kReplayMs;
      set_messages((old) => [...old, { at: replayed ? null : Date.now(), text }].slice(-kMostMessages));
      onChange();
    },
  });
  return { progress, queue, messages, connected };
}

interface Data {
  runs: Resource<{ runs: Run[] }>;
  details: Resource<RunDetails>;
  status: Resource<Status>;
  ledger: Resource<LedgerPage>;
  annotators: Resource<{ annotators: Annotator[] }>;
  queue: Resource<{ rounds: QueueRound[]; counts: QueueCounts }>;
  people: Resource<{ people: QueuePerson[] }>;
}

function useData(run: number | null, runs: Resource<{ runs: Run[] }>, operator: boolean): Data {
  return {
    runs,
    details: useResource<RunDetails>(run === null ? null : `/api/v1/runs/${run}`),
    status: useResource<Status>("/api/v1/status", kSlowMs),
    ledger: useResource<LedgerPage>(run === null ? null : with_query("/api/v1/ledger", { run, limit: 1 }), kSlowMs),
    annotators: useResource(run === null ? null : with_query("/api/v1/annotators", { run }), kSlowMs),
    queue: useResource("/api/v1/queue/rounds", kSlowMs),
    people: useResource(operator ? "/api/v1/queue/people" : null, kSlowMs),
  };
}

export default function DashboardPage() {
  const session = useSession();
  const runs = useResource<{ runs: Run[] }>("/api/v1/runs");
  const [run, choose] = useRunChoice(runs.data?.runs ?? []);
  const data = useData(run, runs, may_operate(session));
  const reload = useThrottled(() => {
    for (const resource of Object.values(data)) (resource as Resource<unknown>).reload();
  }, kNewsMs);
  const live = useLive(reload);
  useEffect(() => {
    document.title = "Dashboard · cutd";
  }, []);

  if (runs.error !== null && runs.data === null) return <Failure text={runs.error} again={runs.reload} />;
  if (runs.data === null) return <Loading what="the rounds" />;
  const list = runs.data.runs;
  const progress = live.progress ?? data.status.data?.progress ?? null;
  const queue_counts = live.queue ?? data.queue.data?.counts ?? null;
  const summary = data.details.data?.summary ?? null;
  const points = summary ? score_points(summary) : [];

  return (
    <>
      <div class="title">
        <h1>Dashboard</h1>
        {data.details.data && <Pill name={data.details.data.state} />}
        <span class="spring" />
        {may_operate(session) && (
          <a class="button small" href="/start">
            Start a run
          </a>
        )}
        {list.length > 0 && run !== null && <RunPicker runs={list} run={run} onChoose={choose} />}
      </div>
      <AttentionPanel
        concerns={concerns(list, data.status.data, data.ledger.data, queue_counts, data.queue.data?.rounds)}
        mayAct={may_operate(session)}
        onDone={reload}
      />
      {data.details.data && data.details.data.state !== "paused" && data.details.data.reason !== "" && (
        <p class="note">
          Why it {data.details.data.state === "active" ? "goes on" : "stopped"}:{" "}
          <InertText text={data.details.data.reason} />
        </p>
      )}
      {data.details.error !== null && <Failure text={data.details.error} again={data.details.reload} />}
      {list.length === 0 && (
        <Empty title="No run yet">
          <p>
            {may_operate(session) ? <a href="/start">Start one here</a> : "An operator starts one"}, or on the daemon's
            machine: <code>cutd run start --config my.yaml</code>. It appears here at once.
          </p>
        </Empty>
      )}
      {data.details.data && <RunCards run={data.details.data} ledger={data.ledger.data} queue={queue_counts} />}
      <div class="columns dashboard-columns">
        <NowPanel progress={progress} messages={live.messages} connected={live.connected} status={data.status.data} />
        {points.length > 0 && (
          <ScoreChart
            title="Score per round"
            points={points}
            caption="Share of Perfect judgments on the gate set, with 95 % intervals. Hollow: rejected. Dashed: the untrained model."
          />
        )}
      </div>
      {summary && (
        <>
          <h2>Rounds</h2>
          <RoundsTable summary={summary} />
        </>
      )}
      <div class="columns dashboard-columns">
        {data.ledger.data && <SpendPanel ledger={data.ledger.data} />}
        <div class="stacked">
          {data.annotators.data && <JudgePanel annotators={data.annotators.data.annotators} run={run} />}
          {data.queue.data && (
            <QueuePanel
              rounds={data.queue.data.rounds}
              counts={queue_counts}
              mayAct={may_operate(session)}
              onDone={reload}
            />
          )}
        </div>
        {data.people.data && (
          <div class="wide">
            <PeoplePanel people={data.people.data.people} onDone={reload} />
          </div>
        )}
      </div>
    </>
  );
}
