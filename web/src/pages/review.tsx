// What the queue cannot settle by itself: items that everyone skipped, or whose judgments disagree.
import { useEffect, useState } from "preact/hooks";
import { new_key, problem_text, send } from "../api/client";
import { usePaged } from "../api/paged";
import { useResource } from "../api/resource";
import type { Label, ResponseRow, ReviewItem } from "../api/types";
import { ActionButton } from "../components/action_button";
import { InertText, Said } from "../components/inert_text";
import { Empty, Failure, Loading } from "../components/pieces";
import "../style/review.css";

const kPath = "/api/v1/queue/review?limit=50";

/** The operator's own judgment: it stands. */
function SettleForm({ item, onDone }: { item: string; onDone: () => void }) {
  const [label, choose] = useState<Label | null>(null);
  const [text, write] = useState("");
  const [problem, set_problem] = useState<string | null>(null);
  const [busy, set_busy] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (label === null) return set_problem("Choose a verdict first.");
    set_busy(true);
    send(`/api/v1/queue/review/${encodeURIComponent(item)}/settle`, { body: { label, text }, key: new_key() })
      .then(onDone, (error: unknown) => set_problem(problem_text(error)))
      .finally(() => set_busy(false));
  };
  const verdict = (value: Label, name: string) => (
    <label>
      <input type="radio" name={`verdict-${item}`} checked={label === value} onChange={() => choose(value)} /> {name}
    </label>
  );
  return (
    <form class="settle" onSubmit={submit}>
      <fieldset>
        <legend>Your judgment, which stands</legend>
        {verdict("positive", "Perfect")} {verdict("negative", "Needs work")}
      </fieldset>
      <label class="field">
        <span>{label === "positive" ? "Remark (optional)" : "What is wrong, and how should it be?"}</span>
        <textarea rows={3} dir="auto" value={text} onInput={(event) => write(event.currentTarget.value)} />
      </label>
      {problem !== null && (
        <p class="out" role="alert">
          <InertText text={problem} />
        </p>
      )}
      <button class="primary" type="submit" disabled={busy}>
        Settle it
      </button>
    </form>
  );
}

function ItemTexts({ id }: { id: number }) {
  const response = useResource<ResponseRow>(`/api/v1/responses/${id}`);
  if (response.error !== null) return <Failure text={response.error} again={response.reload} />;
  if (response.data === null) return <Loading what="the item" />;
  const { instruction, text, judgments } = response.data;
  return (
    <div class="texts">
      <h3>Instruction</h3>
      <Said text={instruction.text} />
      {instruction.input !== "" && <Said soft text={instruction.input} />}
      <h3>Response</h3>
      <Said text={text} />
      {judgments.some((judgment) => judgment.text !== null) && <h3>Said so far</h3>}
      {judgments.map((judgment) =>
        judgment.text === null ? null : (
          <p key={judgment.id}>
            <b>
              <InertText text={judgment.annotator_name} />
            </b>
            : <InertText text={judgment.text} />
          </p>
        ),
      )}
    </div>
  );
}

function Row({ item, onDone }: { item: ReviewItem; onDone: () => void }) {
  const [open, set_open] = useState(false);
  return (
    <li class="panel">
      <div class="row">
        <span>
          <a href={`/responses/${item.response}`}>Response #{item.response}</a>{" "}
          <span class="soft">{item.round === null ? "of an evaluation" : `of round #${item.round}`}</span>
        </span>
        <span class="review-actions">
          <button class="small" aria-expanded={open} onClick={() => set_open(!open)}>
            {open ? "Close" : "Judge it"}
          </button>
          <ActionButton
            name="Give it out again"
            path={`/api/v1/queue/review/${encodeURIComponent(item.item)}/reopen`}
            onDone={onDone}
          />
        </span>
      </div>
      <ul class="why-review">
        {item.reasons.map((reason, i) => (
          <li key={i}>
            <InertText text={reason} />
          </li>
        ))}
      </ul>
      {open && (
        <>
          <ItemTexts id={item.response} />
          <SettleForm item={item.item} onDone={onDone} />
        </>
      )}
    </li>
  );
}

export default function ReviewPage() {
  const review = usePaged(kPath, ({ items, next }: { items: ReviewItem[]; next: string | null }) => ({
    rows: items,
    next,
  }));
  useEffect(() => {
    document.title = "Review · cutd";
  }, []);
  useEffect(() => {
    if (review.rows.length === 0) review.more?.();
  }, [review.rows.length, review.more === null]);
  return (
    <>
      <p class="crumbs">
        <a href="/">Dashboard</a>
      </p>
      <div class="title">
        <h1>Review</h1>
      </div>
      <p class="note">Items that everyone skipped, or whose judgments disagree. The round waits for them.</p>
      {review.error !== null && <Failure text={review.error} again={review.reload} />}
      {review.loading && <Loading what="the items" />}
      {!review.loading && review.error === null && review.rows.length === 0 && review.more === null && (
        <Empty title="Nothing to decide">
          <p>The queue settles everything by itself at present.</p>
        </Empty>
      )}
      <ul class="review">
        {review.rows.map((item) => (
          <Row key={item.item} item={item} onDone={() => review.drop(item)} />
        ))}
      </ul>
      {review.more !== null && (
        <p class="more">
          <button onClick={review.more}>Show more</button>
        </p>
      )}
    </>
  );
}
