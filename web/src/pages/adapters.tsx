// Where each adapter comes from, which one is served, and which were rejected or damaged.
import { useEffect } from "preact/hooks";
import { with_query } from "../api/client";
import { useResource } from "../api/resource";
import type { Adapter, Round, Run } from "../api/types";
import { InertText } from "../components/inert_text";
import { Empty, Failure, Loading, Pill } from "../components/pieces";
import { run_name } from "../dashboard/run_picker";
import { date_time, short_hash } from "../format";
import { families, member_name, type Family, type Member } from "../lineage/tree";
import "../style/lineage.css";

interface MemberProps {
  member: Member;
  family: number;
  /** What any run serves: a run that builds on another has its adapters in the other's family. */
  served: Set<number>;
}

function MemberView({ member, family, served }: MemberProps) {
  const { adapter, delta, round } = member;
  const outcome = round?.outcome ?? null;
  return (
    <li class={outcome === "rejected" || adapter.state === "quarantined" ? "dead-end" : ""}>
      <div class={served.has(adapter.id) ? "member serving" : "member"}>
        <div class="row">
          <b>
            {round ? <a href={`/rounds/${round.id}`}>{member_name(member, family)}</a> : member_name(member, family)}
          </b>
          <span class="pills">
            {served.has(adapter.id) && <Pill name="completed" text="served" />}
            {adapter.state === "quarantined" ? (
              <Pill name="quarantined" />
            ) : (
              <Pill name={outcome ?? round?.phase ?? "verified"} />
            )}
          </span>
        </div>
        <code>{short_hash(adapter.hash)}</code> <span class="soft">made {date_time(adapter.created_at)}</span>
        {adapter.reason !== "" && (
          <p class="note">
            <InertText text={adapter.reason} />
          </p>
        )}
        <details>
          <summary>Files</summary>
          <dl class="facts">
            <dt>loads on the base model</dt>
            <dd>
              <code>
                <InertText text={adapter.path} />
              </code>
            </dd>
            <dt>hash</dt>
            <dd>
              <code>{adapter.hash}</code>
            </dd>
            {delta && (
              <>
                <dt>this round alone</dt>
                <dd>
                  <code>
                    <InertText text={delta.path} />
                  </code>
                </dd>
              </>
            )}
          </dl>
        </details>
      </div>
      {member.children.length > 0 && (
        <ul>
          {member.children.map((child) => (
            <MemberView key={child.adapter.id} member={child} family={family} served={served} />
          ))}
        </ul>
      )}
    </li>
  );
}

function FamilyView({ family, run, served }: { family: Family; run: Run | undefined; served: Set<number> }) {
  return (
    <section class="family" aria-label={`Run ${family.run}`}>
      <h2>
        {run ? (
          <a href={`/runs/${run.id}`}>
            <InertText text={run_name(run)} />
          </a>
        ) : (
          `Run ${family.run}`
        )}
      </h2>
      <ul class="lineage">
        <li>
          <div class={run && run.serving_adapter === null ? "member base serving" : "member base"}>
            <div class="row">
              <b>Base model</b>
              {run && run.serving_adapter === null && <Pill name="completed" text="served" />}
            </div>
            {run && (
              <span class="soft">
                <InertText text={run.model} />
              </span>
            )}
          </div>
          <ul>
            {family.members.map((member) => (
              <MemberView key={member.adapter.id} member={member} family={family.run} served={served} />
            ))}
          </ul>
        </li>
      </ul>
    </section>
  );
}

export default function AdaptersPage() {
  const adapters = useResource<{ adapters: Adapter[] }>("/api/v1/adapters");
  const rounds = useResource<{ rounds: Round[] }>(with_query("/api/v1/rounds", { limit: 200 }));
  const runs = useResource<{ runs: Run[] }>("/api/v1/runs");
  useEffect(() => {
    document.title = "Adapters · cutd";
  }, []);
  const error = adapters.error ?? rounds.error ?? runs.error;
  const served = new Set((runs.data?.runs ?? []).flatMap((run) => run.serving_adapter ?? []));
  const loaded = adapters.data !== null && rounds.data !== null && runs.data !== null;
  return (
    <>
      <div class="title">
        <h1>Adapters</h1>
      </div>
      <p class="note">
        Each round trains on the model its run served (at first the base model, or what an earlier run kept); a promoted
        one carries on the line, a rejected one ends it. Every adapter here is cumulative: it loads on the base model as
        it is.
      </p>
      {error !== null && <Failure text={error} again={() => location.reload()} />}
      {!loaded && error === null && <Loading what="the adapters" />}
      {loaded && adapters.data?.adapters.length === 0 && (
        <Empty title="No adapter yet">
          <p>The first appears when a round has trained.</p>
        </Empty>
      )}
      {loaded &&
        families(adapters.data?.adapters ?? [], rounds.data?.rounds ?? []).map((family) => (
          <FamilyView
            key={family.run}
            family={family}
            run={runs.data?.runs.find((run) => run.id === family.run)}
            served={served}
          />
        ))}
    </>
  );
}
