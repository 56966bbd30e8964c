// The mock's queue as an annotator meets it: items claimed, renewed, saved and settled.
import type { Claim, OwnProgress, QueueItem, Task } from "../src/api/types";
import { json, problem, type Reply } from "./replies";
import { kExamples } from "./texts";

function task_of(number: number, texts: readonly string[], leaseSeconds: number): Task {
  const example = kExamples[number % kExamples.length] as (typeof kExamples)[number];
  const text = texts.length > 0 ? (texts[number % texts.length] as string) : null;
  const suggestion =
    text !== null
      ? { label: "negative" as const, text, source: text }
      : number === 2
        ? { label: "negative" as const, text: example.judgment, source: "gpt-4o-mini" }
        : null;
  return {
    item: `item${String(number).padStart(12, "0")}`,
    lease: String(number).padStart(32, "0"),
    seconds_left: leaseSeconds,
    renew_within_seconds: 60,
    instruction: text !== null ? { text, input: text } : { text: example.instruction, input: example.input },
    response: { text: text ?? example.response },
    guideline: "g".repeat(64),
    draft: null,
    suggestion,
  };
}

export class MockDesk {
  /** Set: leases are refused, as after they have ended. */
  leasesOver = false;
  /** So many changes are answered as while the first with their key is at work. */
  busy = 0;
  private readonly items = new Map<string, QueueItem>();
  private readonly tasks = new Map<string, Task>();
  private claimed = 0;

  constructor(
    private readonly texts: readonly string[],
    private readonly leaseSeconds: number,
  ) {}

  /** What a change or a list asks of one's own items; null: the path is another's. */
  answer(method: string, path: string, query: URLSearchParams, body: unknown): Reply | null {
    if (path === "/queue/progress") return json(this.own_progress());
    if (path === "/queue/items") {
      const items = [...this.items.values()].filter((item) => item.view === query.get("view")).reverse();
      return json({ items, next: null });
    }
    const own = /^\/queue\/items\/(\w+)$/.exec(path);
    if (own) {
      const item = this.items.get(own[1] ?? "");
      return item ? json(item) : problem(404, "you have no such item");
    }
    if (path === "/queue/claim") return json(this.claim((body as { item?: string }).item));
    const lease = /^\/queue\/leases\/([0-9]+)\/(\w+)$/.exec(path);
    if (!lease || method === "GET") return null;
    if (this.busy > 0) {
      --this.busy;
      return problem(409, "a request with this Idempotency-Key is still at work; ask again", "busy");
    }
    return this.change_lease(lease[1] ?? "", lease[2] ?? "", body);
  }

  /** As another page of the same person would: the item on the desk is skipped. */
  skip_elsewhere(): void {
    for (const item of this.items.values()) {
      if (item.view === "pending" || item.view === "draft") {
        Object.assign(item, { view: "skipped", skip_reason: "elsewhere" });
      }
    }
  }

  private claim(item: string | undefined): Claim {
    const own = item === undefined ? undefined : this.items.get(item);
    const task = [...this.tasks.values()].find((one) =>
      own ? one.item === own.item : this.items.get(one.item)?.view === "pending",
    );
    if (task) {
      const draft = this.items.get(task.item)?.draft ?? null;
      return { task: { ...task, draft, seconds_left: this.leaseSeconds }, why: null };
    }
    if (this.texts.length === 0 && this.claimed >= kExamples.length) return { task: null, why: "empty" };
    const fresh = task_of(this.claimed++, this.texts, this.leaseSeconds);
    this.tasks.set(fresh.lease, fresh);
    const { instruction, response, guideline } = fresh;
    this.items.set(fresh.item, {
      item: fresh.item,
      view: "pending",
      lease: null, // a list never tells it
      instruction,
      response,
      guideline,
      draft: null,
      submitted: null,
      skip_reason: null,
      updated_at: new Date().toISOString(),
    });
    return { task: fresh, why: null };
  }

  private change_lease(lease: string, action: string, body: unknown): Reply {
    const task = this.tasks.get(lease);
    const item = task && this.items.get(task.item);
    if (!item) return problem(404, "there is no such lease");
    if (item.view === "skipped" || item.view === "submitted")
      return problem(409, "this item is submitted or skipped already", "conflict");
    if (this.leasesOver && action !== "submit") return problem(409, "the lease has ended", "conflict");
    const now = new Date().toISOString();
    const given = body as { label: "positive" | "negative"; text: string; reason: string };
    if (action === "renew") return json({ seconds_left: this.leaseSeconds });
    item.updated_at = now;
    if (action === "draft") {
      item.view = "draft";
      item.draft = { label: given.label, text: given.text, saved_at: now };
      return json({ saved_at: now, seconds_left: this.leaseSeconds });
    }
    this.tasks.delete(lease);
    if (action === "release") this.items.delete(item.item);
    if (action === "skip") Object.assign(item, { view: "skipped", skip_reason: given.reason });
    if (action === "submit")
      Object.assign(item, { view: "submitted", submitted: { label: given.label, text: given.text, at: now } });
    if (action === "submit")
      return json({ item: item.item, state: this.leasesOver ? "surplus" : "counted", submitted_at: now });
    return json(action === "skip" ? { item: item.item, state: "skipped" } : {});
  }

  private own_progress(): OwnProgress {
    const amount = (view: string) => [...this.items.values()].filter((item) => item.view === view).length;
    const submitted = amount("submitted");
    return {
      available: Math.max(0, kExamples.length - submitted),
      pending: amount("pending"),
      draft: amount("draft"),
      submitted,
      skipped: amount("skipped"),
      total: 120,
      done: 79 + submitted,
      blocked: false,
    };
  }
}
