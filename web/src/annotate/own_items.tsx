// One's own drafts, submissions and skips.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, problem_text, with_query } from "../api/client";
import type { QueueItem } from "../api/types";
import { InertText, Said } from "../components/inert_text";
import { Empty, Failure, Loading, Pill } from "../components/pieces";
import { date_time } from "../format";
import type { QueueView } from "../route";
import { ItemView } from "./item_view";

const kEmpty: Record<QueueView, [string, string]> = {
  pending: ["Nothing is reserved for you", "Take an item in the view Pending."],
  draft: ["No drafts", "What you begin and leave for later is kept here."],
  submitted: ["Nothing submitted yet", "Your judgments appear here once you have submitted them."],
  skipped: ["Nothing skipped", "Items you skip are listed here with your reason."],
};

function Written({ item }: { item: QueueItem }) {
  const judgment = item.submitted ?? item.draft;
  return (
    <section class="panel">
      <h2>{item.view === "skipped" ? "Why you skipped it" : item.view === "draft" ? "Your draft" : "Your judgment"}</h2>
      {judgment && (
        <>
          {judgment.label !== null && (
            <p>
              <Pill
                name={judgment.label === "positive" ? "perfect" : "criticised"}
                text={judgment.label === "positive" ? "perfect" : "needs work"}
              />
            </p>
          )}
          {judgment.text !== "" ? <Said text={judgment.text} /> : <p class="soft">No text.</p>}
        </>
      )}
      {item.skip_reason !== null && <Said text={item.skip_reason} />}
    </section>
  );
}

interface RowProps {
  item: QueueItem;
  open: boolean;
  onOpen: () => void;
  onResume: (item: string) => void;
}

function Row({ item, open, onOpen, onResume }: RowProps) {
  return (
    <li>
      <button class="own-row" aria-expanded={open} onClick={onOpen}>
        <span class="asked" dir="auto">
          <InertText text={item.instruction.text.slice(0, 160)} />
        </span>
        <span class="soft">{date_time(item.updated_at)}</span>
      </button>
      {open && (
        <div class="own-open">
          <ItemView instruction={item.instruction} response={item.response} />
          <Written item={item} />
          {item.view === "draft" && (
            <button class="primary" onClick={() => onResume(item.item)}>
              Go on with this one
            </button>
          )}
        </div>
      )}
    </li>
  );
}

interface Props {
  view: QueueView;
  onResume: (item: string) => void;
}

export function OwnItems({ view, onResume }: Props) {
  const [items, set_items] = useState<QueueItem[] | null>(null);
  const [next, set_next] = useState<string | null>(null);
  const [problem, set_problem] = useState<string | null>(null);
  const [open, set_open] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const load = (cursor: string | null, before: QueueItem[]) => {
    get<{ items: QueueItem[]; next: string | null }>(with_query("/api/v1/queue/items", { view, cursor })).then(
      (page) => {
        set_items([...before, ...page.items]);
        set_next(page.next);
      },
      (error: unknown) => set_problem(problem_text(error)),
    );
  };
  useEffect(() => {
    set_items(null);
    set_open(null);
    set_problem(null);
    load(null, []);
  }, [view]);
  useEffect(() => {
    // j and k move between the rows; the page tells them by events, as they are its keys.
    const move = (event: Event) => {
      const rows = Array.from(list.current?.querySelectorAll<HTMLElement>(".own-row") ?? []);
      const at = rows.indexOf(document.activeElement as HTMLElement);
      rows[Math.min(rows.length - 1, Math.max(0, at + (event as CustomEvent<number>).detail))]?.focus();
    };
    addEventListener("cutd:move", move);
    return () => removeEventListener("cutd:move", move);
  }, []);
  if (problem !== null) return <Failure text={problem} again={() => load(null, [])} />;
  if (items === null) return <Loading what="your items" />;
  if (items.length === 0)
    return (
      <Empty title={kEmpty[view][0]}>
        <p>{kEmpty[view][1]}</p>
      </Empty>
    );
  return (
    <>
      <ul class="own-items" ref={list}>
        {items.map((item) => (
          <Row
            key={item.item}
            item={item}
            open={open === item.item}
            onOpen={() => set_open(open === item.item ? null : item.item)}
            onResume={onResume}
          />
        ))}
      </ul>
      {next !== null && <button onClick={() => load(next, items)}>Show more</button>}
    </>
  );
}
