// The API's replies without a daemon, for working on the pages (`npm run mock`) and for tests that need states which
// are rare in reality. Shapes are schemas/openapi.yaml's, by the types that the pages themselves use.
import type { GuidelineText, Progress, ReviewItem, Role, Session } from "../src/api/types";
import { MockDesk } from "./desk";
import { json, problem, type Reply } from "./replies";
import { plan_of } from "./plan";
import { kGuideline } from "./texts";
import { tokens_of } from "./tokens";
import { kLedger } from "./ledger";
import * as queue from "./queue";
import * as world from "./world";

export type { Reply };

interface Options {
  role?: Role | null;
  leaseSeconds?: number;
  /** How many items wait for the operator's decision; more than there are texts for are copies. */
  reviewItems?: number;
  /** So often the tokens of a response are not there yet. */
  engineBusy?: number;
  /** Shown wherever text of models, people and files is shown, one after another. */
  texts?: readonly string[];
}

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

/** One reader's daemon. State changes as requests come; nothing is shared between two of them. */
export class MockApi {
  readonly requests: { method: string; path: string; body: unknown; key: string }[] = [];
  readonly desk: MockDesk;
  /** Set: every request fails, as with a broken line. */
  broken = false;
  private session: Session | null;
  private readonly texts: readonly string[];
  private review: ReviewItem[];
  private engine_busy: number;

  constructor({ role = "operator", leaseSeconds = 1200, reviewItems = 2, engineBusy = 0, texts = [] }: Options = {}) {
    this.session = role === null ? null : { user: 1, name: texts[0] ?? "Ada", role, expires_at: null };
    this.texts = texts;
    this.desk = new MockDesk(texts, leaseSeconds);
    this.review = queue.review_items(reviewItems, texts);
    this.engine_busy = engineBusy;
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
    if (path === "/runs/plan") return plan_of(body);
    if (method === "POST" && path === "/runs") {
      const checked = plan_of(body);
      return checked.status === 200 ? json({ id: 2 }, 201) : checked;
    }
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
    if (noun === "ledger") return json(this.with_texts(query.get("run") === null ? kLedger.of_all : kLedger.of_run));
    if (noun === "models") return json({ models: this.with_texts(world.kModels) });
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
      return part === "tokens" ? this.answer_tokens(row) : json(row);
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

  private answer_tokens(row: (typeof world.kResponses)[number]): Reply {
    const { id, text, judgments } = row;
    if (this.engine_busy-- > 0)
      return json({ state: "pending", why: "the engine has been asked; its work in progress comes first" }, 202);
    return json(tokens_of(id, text, judgments[0]?.text ?? ""));
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
      validated: false, // its tokens are asked for by a button alone
      settled_at: null,
    };
    return { ...base, id: 1000 + i, instruction: { id: 1, text, input: text }, text, judgments: [judgment] };
  }

  private answer_queue(method: string, path: string, query: URLSearchParams, body: unknown): Reply {
    if (path === "/queue/rounds") return json({ rounds: queue.kQueueRounds, counts: queue.kCounts });
    if (path === "/queue/people") return json({ people: this.with_texts(queue.kPeople) });
    if (path === "/queue/review") {
      const from = Number(query.get("cursor") ?? 0);
      const to = from + Number(query.get("limit") ?? 50);
      return json({ items: this.review.slice(from, to), next: to < this.review.length ? String(to) : null });
    }
    if (path === "/queue/guidelines") return json({ guidelines: [this.guideline()] });
    if (/^\/queue\/rounds\/\d+\/close$/.test(path)) return json({ ...queue.kQueueRounds[0], state: "closing" });
    const decided = /^\/queue\/review\/(\w+)\/(settle|reopen)$/.exec(path);
    if (decided && method === "POST") this.review = this.review.filter(({ item }) => item !== decided[1]);
    return this.desk.answer(method, path, query, body) ?? json({});
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
      "annotator",
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

  /** With `texts`: as many rows as there are texts. */
  private repeated<T extends object>(rows: T[], key: keyof T): T[] {
    if (this.texts.length === 0) return rows;
    return this.texts.map((text, i) => ({ ...(rows[i % rows.length] as T), id: i + 1, [key]: text }));
  }
}
