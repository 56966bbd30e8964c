// The API's replies without a daemon, for working on the pages (`npm run mock`) and for tests that need states which
// are rare in reality. Shapes are schemas/openapi.yaml's, by the types that the pages themselves use.
import type {
  Claim,
  GuidelineText,
  OwnProgress,
  Progress,
  QueueItem,
  ResponseTokens,
  Role,
  Session,
  Task,
} from "../src/api/types";
import { kExamples, kGuideline } from "./texts";
import * as queue from "./queue";
import * as world from "./world";

export interface Reply {
  status: number;
  type: string;
  body: string;
}

interface Options {
  role?: Role | null;
  leaseSeconds?: number;
  /** Shown wherever text of models, people and files is shown, one after another. */
  texts?: readonly string[];
}

const json = (value: unknown, status = 200): Reply => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});
const problem = (status: number, detail: string, code = "not_found"): Reply => ({
  status,
  type: "application/problem+json",
  body: JSON.stringify({ title: "Problem", status, detail, code }),
});

const kProgress: Progress = {
  run: 2,
  round: 15,
  round_number: 5,
  round_count: 6,
  activity: "judging",
  done: 270,
  total: 400,
  tokens_per_second: 0,
  eta_seconds: 340,
  elapsed_seconds: 710,
  detail: "3 failed",
};

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

/** One reader's daemon. State changes as requests come; nothing is shared between two of them. */
export class MockApi {
  readonly requests: { method: string; path: string; body: unknown; key: string }[] = [];
  /** Set: leases are refused, as after they have ended. */
  leasesOver = false;
  /** Set: every request fails, as with a broken line. */
  broken = false;
  private session: Session | null;
  private readonly texts: readonly string[];
  private readonly leaseSeconds: number;
  private readonly items = new Map<string, QueueItem>();
  private readonly tasks = new Map<string, Task>();
  private claimed = 0;

  constructor({ role = "operator", leaseSeconds = 1200, texts = [] }: Options = {}) {
    this.session = role === null ? null : { user: 1, name: texts[0] ?? "Ada", role, expires_at: null };
    this.texts = texts;
    this.leaseSeconds = leaseSeconds;
  }

  answer(method: string, url: string, body: unknown, key = ""): Reply {
    const { pathname, searchParams } = new URL(url, "http://mock");
    this.requests.push({ method, path: pathname, body, key });
    if (this.broken) return problem(503, "no room on the disk", "unavailable");
    const path = pathname.replace("/api/v1", "");
    if (path === "/session") return this.answer_session(method, body);
    if (path === "/session/password") return json({});
    if (this.session === null) return problem(401, "sign in first", "unauthorized");
    if (path.startsWith("/queue/")) return this.answer_queue(method, path, searchParams, body);
    if (method !== "GET") return json({});
    return this.answer_read(path, searchParams);
  }

  /** What /events sends at once; a mock's line then breaks and is opened again. */
  event_text(): string {
    const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    const messages =
      this.texts.length > 0
        ? this.texts
        : ["round 4 promoted: 62.0 % (52.5 to 71.5), +9.0 points", "round 5 begins", "400 responses written"];
    return (
      event("hello", { last_event: 0 }) +
      event("progress", this.with_texts(kProgress)) +
      event("queue", queue.kCounts) +
      messages.map((text) => event("message", { text })).join("")
    );
  }

  private answer_session(method: string, body: unknown): Reply {
    if (method === "DELETE") {
      this.session = null;
      return { status: 204, type: "application/json", body: "" };
    }
    if (method === "POST") {
      const given = body as { name?: string; password?: string; link?: string };
      if (given.link !== undefined ? given.link !== "secret" : given.password !== "correct horse")
        return problem(401, "no such name and password", "unauthorized");
      const name = given.name ?? "Ada";
      this.session = { user: 1, name, role: name === "operator" ? "operator" : "annotator", expires_at: null };
    }
    return this.session === null ? problem(401, "sign in first", "unauthorized") : json(this.session);
  }

  private answer_read(path: string, query: URLSearchParams): Reply {
    const [, noun, id, part] = path.split("/");
    const number = Number(id);
    if (noun === "runs" && id === undefined) return json({ runs: this.with_texts(world.kRuns) });
    if (noun === "runs") {
      const run = world.kRuns.find((one) => one.id === number);
      return run ? json(this.with_texts(world.run_details(run))) : problem(404, `there is no run ${id}`);
    }
    if (noun === "rounds" && id === undefined)
      return json({ rounds: this.with_texts([...world.kRounds].reverse()), next: null });
    if (noun === "rounds") {
      if (part === "events") return json({ events: this.repeated(world.events(number), "why") });
      if (part === "steps") return json({ steps: world.steps(number) });
      const details = world.round_details(number);
      return details ? json(this.with_texts(details)) : problem(404, `there is no round ${id}`);
    }
    if (noun === "responses") return this.answer_responses(id, part, query);
    if (noun === "annotators") return json({ annotators: this.with_texts(world.kAnnotators) });
    if (noun === "adapters") return json({ adapters: this.with_texts(world.kAdapters) });
    if (noun === "ledger") return json(this.with_texts(world.kLedger));
    if (noun === "status") {
      const engine = { running: true, pid: 4242, phase: "generate", starts: 1, last_failure: "" };
      return json({
        pid: 4241,
        epoch: 3,
        data_dir: "/var/lib/cutd",
        uptime_seconds: 30210,
        failure: null,
        engine,
        progress: kProgress,
        url: "http://127.0.0.1:8080",
        judge_troubles: [],
        free_disk_bytes: 412e9,
      });
    }
    return problem(404, `no such path: ${path}`);
  }

  private answer_responses(id: string | undefined, part: string | undefined, query: URLSearchParams): Reply {
    const rows = this.texts.length > 0 ? this.texts.map((text, i) => this.row_of(text, i)) : world.kResponses;
    if (id !== undefined) {
      const row = rows.find((one) => one.id === Number(id));
      if (!row) return problem(404, `there is no response ${id}`);
      return part === "tokens" ? json(tokens_of(row.id, row.text, row.judgments[0]?.text ?? "")) : json(row);
    }
    const label = query.get("label");
    const state = query.get("state");
    const search = (query.get("search") ?? "").toLowerCase();
    const found = rows.filter(
      (row) =>
        (label === null || row.judgments.some((one) => one.label === label)) &&
        (state === null || row.judgments.some((one) => one.state === state)) &&
        (query.get("round") === null || row.round === Number(query.get("round"))) &&
        `${row.instruction.text} ${row.text} ${row.judgments[0]?.text ?? ""}`.toLowerCase().includes(search),
    );
    const from = Number(query.get("cursor") ?? 0);
    const limit = Number(query.get("limit") ?? 50);
    return json({
      responses: found.slice(from, from + limit),
      next: from + limit < found.length ? String(from + limit) : null,
    });
  }

  private row_of(text: string, i: number): (typeof world.kResponses)[number] {
    const base = world.kResponses[0] as (typeof world.kResponses)[number];
    const judgment = {
      ...base.judgments[0],
      id: i + 1,
      annotator: 1,
      annotator_name: text,
      state: i % 3 === 2 ? ("failed" as const) : ("done" as const),
      label: i % 3 === 2 ? null : ("negative" as const),
      text: i % 3 === 2 ? null : text,
      failure: i % 3 === 2 ? text : null,
      validated: true,
      settled_at: null,
    };
    return { ...base, id: 1000 + i, instruction: { id: 1, text, input: text }, text, judgments: [judgment] };
  }

  private answer_queue(method: string, path: string, query: URLSearchParams, body: unknown): Reply {
    if (path === "/queue/rounds") return json({ rounds: queue.kQueueRounds, counts: queue.kCounts });
    if (path === "/queue/people") return json({ people: this.with_texts(queue.kPeople) });
    if (path === "/queue/review") return json({ items: this.repeated_reasons(), next: null });
    if (path === "/queue/progress") return json(this.own_progress());
    if (path === "/queue/guidelines") return json({ guidelines: [this.guideline()] });
    if (path === "/queue/items")
      return json({
        items: [...this.items.values()].filter((item) => item.view === query.get("view")).reverse(),
        next: null,
      });
    if (path === "/queue/claim") return json(this.claim((body as { item?: string }).item));
    const lease = /^\/queue\/leases\/([0-9]+)\/(\w+)$/.exec(path);
    if (lease && method !== "GET") return this.change_lease(lease[1] ?? "", lease[2] ?? "", body);
    return json({});
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
    const { instruction, response, guideline, lease } = fresh;
    this.items.set(fresh.item, {
      item: fresh.item,
      view: "pending",
      lease,
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

  private guideline(): GuidelineText {
    const text = this.texts.length > 0 ? this.texts.join("\n\n") : kGuideline;
    return { hash: "g".repeat(64), annotator: this.texts[0] ?? "team", text };
  }

  /** With `texts`: every free text of a reply is one of them. */
  private with_texts<T>(value: T): T {
    if (this.texts.length === 0) return value;
    let next = 0;
    const free = new Set([
      "name",
      "reason",
      "model",
      "note",
      "scope",
      "path",
      "why",
      "detail",
      "activity",
      "annotator_name",
    ]);
    const walk = (part: unknown, key: string): unknown => {
      if (Array.isArray(part)) return part.map((one) => walk(one, key));
      if (part !== null && typeof part === "object")
        return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, walk(one, name)]));
      return typeof part === "string" && free.has(key) ? this.texts[next++ % this.texts.length] : part;
    };
    return walk(value, "") as T;
  }

  private repeated_reasons(): typeof queue.kReview {
    if (this.texts.length === 0) return queue.kReview;
    return this.texts.map((text, i) => ({ item: `review${i}`, round: 15, response: 1000 + i, reasons: [text] }));
  }

  /** With `texts`: as many rows as there are texts. */
  private repeated<T extends object>(rows: T[], key: keyof T): T[] {
    if (this.texts.length === 0) return rows;
    return this.texts.map((text, i) => ({ ...(rows[i % rows.length] as T), id: i + 1, [key]: text }));
  }
}

function tokens_of(response: number, text: string, judgment_text: string): ResponseTokens {
  const parts = text.match(/\s*[^\s]+|\s+$/g) ?? [];
  const wrong = ["As", "a", "language", "model", "I", "cannot", "see", "the", "sky,"];
  const start = parts.findIndex((_part, i) => wrong.every((word, j) => parts[i + j]?.trim() === word));
  const tokens = parts.map((part, i) => {
    const detected = start >= 0 ? i >= start && i < start + wrong.length : i % 7 === 5;
    const logprob = -0.2 - ((i * 37) % 23) / 10;
    return {
      id: 100 + i,
      text: part,
      logprob,
      logprob_with_judgment: logprob + (detected ? 0.6 + (i % 3) / 3 : -0.15),
      detected,
    };
  });
  return {
    state: "ready",
    response,
    judgment: 1,
    judgment_text,
    threshold: 1.1,
    objective: "cut",
    detected: tokens.filter((token) => token.detected).length,
    tokens,
  };
}
