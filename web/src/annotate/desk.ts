// The item in work and its talk with the server: claimed, renewed, saved and settled. The rules are in work.ts and
// lease.ts; this class only performs them. One page has one desk.
import { get, new_key, Problem, problem_text, send } from "../api/client";
import type { Claim, QueueItem, Submitted } from "../api/types";
import { forget, keep, kept, put_on_desk } from "./kept";
import { lease_of, lease_state, should_renew } from "./lease";
import { begin, obstacle, saved, saving, type State, submitted_message, type Work, write, type Written } from "./work";

const kSaveAfterMs = 800;
const kSaveAgainMs = 5000;

export interface DeskListener {
  onState: (state: State) => void;
  /** For people: said aloud and shown for a while. */
  say: (text: string) => void;
  /** An item was settled or left; counts have changed. */
  onSettled: () => void;
}

/** The state of things does not allow it: the lease has ended, or the item is settled. */
function is_refused(error: unknown): boolean {
  return error instanceof Problem && (error.code === "not_found" || error.code === "conflict");
}

function lease_path(work: Work, action: string): string {
  return `/api/v1/queue/leases/${work.task.lease}/${action}`;
}

export class Desk {
  private state: State = { kind: "claiming" };
  private begun = false;
  private active_at = performance.now();
  private shown_ms = 0; // time this item was in view
  private save_timer: ReturnType<typeof setTimeout> | undefined;
  // A repeat of the same judgment, after a lost answer, is the same intention: same body, same key.
  private submission: { of: string; body: object; key: string } = { of: "", body: {}, key: "" };

  constructor(private readonly listener: DeskListener) {}

  private set(state: State): void {
    this.state = state;
    this.listener.onState(state);
  }

  private work(): Work | null {
    return this.state.kind === "working" ? this.state.work : null;
  }

  /** Changes the work, unless it is on another item by now. */
  private change(item: string, edit: (work: Work) => Work): void {
    const work = this.work();
    if (work !== null && work.task.item === item) this.set({ kind: "working", work: edit(work) });
  }

  /** Claims, unless something was claimed before. */
  async open(item: string | null): Promise<void> {
    if (!this.begun) await this.claim(item ?? undefined);
  }

  async claim(item?: string): Promise<void> {
    this.begun = true;
    this.set({ kind: "claiming" });
    try {
      const reply = await send<Claim>("/api/v1/queue/claim", { body: item === undefined ? {} : { item } });
      put_on_desk(reply.task?.item ?? null);
      if (reply.task === null) return this.set({ kind: "nothing", why: reply.why ?? "empty" });
      this.shown_ms = 0;
      this.active_at = performance.now();
      this.set({ kind: "working", work: begin(reply.task, kept(reply.task.item), performance.now()) });
    } catch (error) {
      if (item !== undefined && is_refused(error)) return this.claim();
      this.set({ kind: "failed", why: problem_text(error) });
    }
  }

  write(written: Partial<Written>): void {
    const work = this.work();
    if (work === null || work.submitting) return;
    const next = write(work, written);
    if (next === work) return;
    this.set({ kind: "working", work: next });
    keep(next.task.item, next.written);
    this.save_in(kSaveAfterMs);
  }

  private save_in(milliseconds: number): void {
    clearTimeout(this.save_timer);
    this.save_timer = setTimeout(() => void this.save(), milliseconds);
  }

  /** The server gets what is here. `leaving`: the page may be gone before the answer. */
  async save(leaving = false): Promise<void> {
    clearTimeout(this.save_timer);
    const work = this.work();
    if (work === null || work.lost || work.submitting || work.save.kind === "clean") return;
    const { item } = work.task;
    const { written } = work;
    this.change(item, saving);
    try {
      const request = { method: "PUT", body: written, keepalive: leaving } as const;
      const reply = await send<{ saved_at: string; seconds_left: number }>(lease_path(work, "draft"), request);
      forget(item);
      this.change(item, (old) => saved(old, written, reply.saved_at, reply.seconds_left, performance.now()));
      const after = this.work();
      if (after?.task.item === item && after.save.kind === "changed") {
        keep(item, after.written);
        this.save_in(kSaveAfterMs);
      }
    } catch (error) {
      if (is_refused(error)) {
        this.change(item, (old) => ({ ...old, save: { kind: "changed" } }));
        return this.refused(item);
      }
      this.change(item, (old) => ({ ...old, save: { kind: "failed", why: problem_text(error) } }));
      this.save_in(kSaveAgainMs);
    }
  }

  private async renew(work: Work): Promise<void> {
    const { item } = work.task;
    // The next attempt is as far away as after a success.
    this.change(item, (old) => ({ ...old, lease: { ...old.lease, renewed_at: performance.now() } }));
    try {
      const reply = await send<{ seconds_left: number }>(lease_path(work, "renew"));
      this.change(item, (old) => ({ ...old, lease: lease_of(reply.seconds_left, performance.now()) }));
    } catch (error) {
      if (is_refused(error)) await this.refused(item);
    }
  }

  /** A lease was refused: it has ended, or the item was settled in another window and another one is taken. */
  private async refused(item: string): Promise<void> {
    const settled = await this.settled_as(item);
    if (this.work()?.task.item !== item) return;
    if (settled === null) return this.change(item, (old) => ({ ...old, lost: true }));
    forget(item);
    this.listener.say(`You have ${settled} this item already. Here is another one.`);
    this.listener.onSettled();
    await this.claim();
  }

  /** What became of one's own item; null: nothing yet, or nobody knows. */
  private async settled_as(item: string): Promise<"submitted" | "skipped" | null> {
    try {
      const { view } = await get<QueueItem>(`/api/v1/queue/items/${encodeURIComponent(item)}`);
      return view === "submitted" || view === "skipped" ? view : null;
    } catch {
      return null;
    }
  }

  /** The reader has done something. */
  moved(): void {
    this.active_at = performance.now();
  }

  /** Called every `passed_ms`, with whether the page was in view. */
  tick(passed_ms: number, visible: boolean): void {
    if (visible) this.shown_ms += passed_ms;
    const now = performance.now();
    const work = this.work();
    if (work === null || work.lost) return;
    if (lease_state(work.lease, now) === "over") this.change(work.task.item, (old) => ({ ...old, lost: true }));
    else if (should_renew(work.lease, now, this.active_at)) void this.renew(work);
  }

  /** One change that settles the item, then the next item. */
  private async settle(action: string, body: object, message: (reply: unknown) => string, key = new_key()) {
    const work = this.work();
    if (work === null || work.submitting) return;
    const { item } = work.task;
    clearTimeout(this.save_timer);
    this.change(item, (old) => ({ ...old, submitting: true, problem: null }));
    try {
      const reply = await send<unknown>(lease_path(work, action), { body, key });
      forget(item);
      this.listener.say(message(reply));
      this.listener.onSettled();
      await this.claim();
    } catch (error) {
      this.change(item, (old) => ({ ...old, submitting: false, problem: problem_text(error) }));
      if (is_refused(error)) await this.refused(item);
    }
  }

  async submit(): Promise<void> {
    const work = this.work();
    if (work === null) return;
    const problem = obstacle(work.written);
    if (problem !== null) return this.change(work.task.item, (old) => ({ ...old, problem }));
    const of = JSON.stringify([work.task.lease, work.written]);
    if (this.submission.of !== of) {
      const seconds_spent = Math.min(86_400, this.shown_ms / 1000);
      this.submission = { of, body: { ...work.written, seconds_spent }, key: new_key() };
    }
    const { body, key } = this.submission;
    await this.settle("submit", body, (reply) => submitted_message(reply as Submitted), key);
  }

  async skip(reason: string): Promise<void> {
    await this.settle("skip", { reason }, () => "Skipped. You will not see it again.");
  }

  async release(): Promise<void> {
    await this.settle("release", {}, () => "Given back.");
  }

  /** Leaves the present item as a draft and takes another. */
  async another(): Promise<void> {
    await this.save();
    this.listener.onSettled();
    await this.claim();
  }
}
