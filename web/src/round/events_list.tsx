// The round's history: every change of phase, when and why.
import type { RoundEvent } from "../api/types";
import { InertText } from "../components/inert_text";
import { Pill } from "../components/pieces";
import { date_time, duration } from "../format";

/** How long the round was in the phase it entered with this event. */
function stay(events: RoundEvent[], i: number): string {
  const next = events[i + 1];
  const here = events[i];
  return next && here ? duration((Date.parse(next.at) - Date.parse(here.at)) / 1000) : "";
}

export function EventsList({ events }: { events: RoundEvent[] }) {
  return (
    <ol class="events">
      {events.map((event, i) => (
        <li key={event.id}>
          <time class="soft" dateTime={event.at}>
            {date_time(event.at)}
          </time>
          <Pill name={event.to} />
          <span class="why">
            <InertText text={event.why} />
          </span>
          <span class="soft stay">{stay(events, i)}</span>
        </li>
      ))}
    </ol>
  );
}
