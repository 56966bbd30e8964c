// An operator starts a run: chooses or writes its configuration, has it checked, sees what it will cost, starts it.
import { useEffect, useRef } from "preact/hooks";
import { useResource } from "../api/resource";
import { InertText } from "../components/inert_text";
import { Empty } from "../components/pieces";
import { go } from "../route";
import { may_operate, useSession } from "../session";
import { missing } from "../start/files";
import { ConfigField, FilesField, ProblemNotice } from "../start/parts";
import { PlanView } from "../start/plan_view";
import { type Start, useStart } from "../start/use_start";
import "../style/start.css";

/** Said aloud when it changes. */
function state_words({ busy, check, problem, draft }: Start): string {
  if (busy === "checking") return "It is being checked…";
  if (busy === "starting") return "It is being started…";
  if (problem !== null) return "";
  if (check === null) return "Nothing is stored or asked before you start it.";
  if (check.plan !== null) return "The configuration is right.";
  const names = missing(check, draft.chosen);
  return names.length > 0 ? `Still missing: ${names.join(", ")}.` : "Check it again.";
}

function Models() {
  const models = useResource<{ models: { name: string }[] }>("/api/v1/models");
  if (!models.data || models.data.models.length === 0) return null;
  return (
    <p class="note">
      Models of this daemon: <InertText text={models.data.models.map((model) => model.name).join(", ")} />
    </p>
  );
}

function StartForm() {
  const run = useStart(() => go("/"));
  const text = useRef<HTMLTextAreaElement>(null);
  const { draft, check, problem, busy } = run;
  const ready = check?.plan != null;
  const submit = (event: Event) => {
    event.preventDefault();
    run.ask();
  };
  return (
    <form class="start" onSubmit={submit}>
      <section class="panel" aria-labelledby="config-title">
        <h2 id="config-title">Configuration</h2>
        <Models />
        <ConfigField draft={draft} text={text} invalid={problem !== null} onEdit={run.edit} />
        <FilesField check={check} chosen={draft.chosen} onChoose={(chosen) => run.edit({ chosen })} />
      </section>
      <ProblemNotice problem={problem} draft={draft} text={text} />
      {check?.plan && <PlanView name={check.name} plan={check.plan} />}
      <div class="start-actions">
        <button type="submit" class={ready ? undefined : "primary"} disabled={busy !== null}>
          Check it
        </button>
        <button
          type="button"
          class={ready ? "primary" : undefined}
          disabled={busy !== null || !ready}
          aria-describedby="start-state"
          onClick={run.start}
        >
          Start the run
        </button>
        <span id="start-state" class="soft" role="status">
          <InertText text={state_words(run)} />
        </span>
      </div>
    </form>
  );
}

export default function StartPage() {
  const session = useSession();
  useEffect(() => {
    document.title = "Start a run · cutd";
  }, []);
  return (
    <>
      <p class="crumbs">
        <a href="/">Dashboard</a>
      </p>
      <div class="title">
        <h1>Start a run</h1>
      </div>
      {may_operate(session) ? (
        <StartForm />
      ) : (
        <Empty title="Operators start runs">
          <p>Your account reads what they do.</p>
        </Empty>
      )}
    </>
  );
}
