// What the daemon does at this moment, as its events tell it.
import type { Progress, Status } from "../api/types";
import { InertText } from "../components/inert_text";
import { Bar } from "../components/pieces";
import { bytes, count, duration } from "../format";
import type { Message } from "../pages/dashboard";

interface Props {
  progress: Progress | null;
  messages: Message[];
  connected: boolean;
  status: Status | null;
}

const kPhases = ["generating", "judging", "training", "evaluating"];

/** The round's phases in a row, the present one marked. */
function PhaseSteps({ activity }: { activity: string }) {
  const present = kPhases.findIndex((phase) => activity.startsWith(phase));
  return (
    <ol class="phases">
      {kPhases.map((phase, i) => (
        <li
          key={phase}
          class={i < present ? "past" : i === present ? "present" : ""}
          aria-current={i === present ? "step" : undefined}
        >
          {phase}
        </li>
      ))}
    </ol>
  );
}

function Work({ progress }: { progress: Progress }) {
  const where = progress.round > 0 ? `Round ${progress.round_number} of ${progress.round_count}` : "The run's report";
  const share = progress.total > 0 ? progress.done / progress.total : 0;
  const facts = [`for ${duration(progress.elapsed_seconds)}`];
  if (progress.eta_seconds !== null) facts.push(`about ${duration(progress.eta_seconds)} left`);
  if (progress.tokens_per_second > 0) facts.push(`${count(progress.tokens_per_second)} tokens/s`);
  if (progress.detail !== "") facts.push(progress.detail);
  return (
    <>
      <p class="activity">
        <b>{where}</b>: <InertText text={progress.activity} />
        {progress.total > 0 && (
          <span class="soft">
            {" "}
            {count(progress.done)} of {count(progress.total)}
          </span>
        )}
      </p>
      {progress.round > 0 && <PhaseSteps activity={progress.activity} />}
      <Bar share={share} label={`${where}, ${progress.activity}`} />
      <p class="note">
        <InertText text={facts.join(" · ")} />
      </p>
    </>
  );
}

export function NowPanel({ progress, messages, connected, status }: Props) {
  const idle = progress === null || progress.run === 0;
  return (
    <section class="panel now" aria-labelledby="now-title">
      <header>
        <h2 id="now-title">Now</h2>
        <span class="soft note" role="status">
          <span class={connected ? "live-dot" : "live-dot off"} aria-hidden="true" />
          {connected ? "live" : "connecting…"}
        </span>
      </header>
      {idle ? <p class="activity soft">Nothing is running.</p> : <Work progress={progress} />}
      {status && (
        <p class="note engine">
          Up for {duration(status.uptime_seconds)}; engine{" "}
          {status.engine.running ? `runs (${status.engine.phase || "idle"})` : "rests"}
          {status.engine.starts > 1 ? `, started ${status.engine.starts} times` : ""}; {bytes(status.free_disk_bytes)}{" "}
          of disk free
        </p>
      )}
      {status && status.engine.last_failure !== "" && (
        <p class="note">
          The engine's last failure: <InertText text={status.engine.last_failure} />
        </p>
      )}
      <ol class="messages" aria-label="Messages, newest first" tabIndex={0}>
        {messages.length === 0 && <li class="soft">Messages appear here as they come.</li>}
        {[...messages].reverse().map((message, i) => (
          <li key={`${message.at}-${i}`}>
            <time class="soft">
              {message.at === null ? "earlier" : new Date(message.at).toTimeString().slice(0, 5)}
            </time>{" "}
            <InertText text={message.text} />
          </li>
        ))}
      </ol>
    </section>
  );
}
