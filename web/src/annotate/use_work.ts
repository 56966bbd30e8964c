// The item in work: claimed, renewed, saved and settled with the server. The rules are in work.ts and lease.ts.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { new_key, Problem, problem_text, send } from "../api/client";
import type { Claim, Submitted } from "../api/types";
import { forget, item_on_desk, keep, kept, put_on_desk } from "./kept";
import { lease_of, lease_state, should_renew } from "./lease";
import { begin, obstacle, saved, saving, type State, submitted_message, type Work, write, type Written } from "./work";

const kSaveAfterMs = 800;
const kTickMs = 1000;
const kSaveAgainMs = 5000;

export interface Desk {
  state: State;
  /** The monotonic time of the last tick, for countdowns. */
  now: number;
  write: (written: Partial<Written>) => void;
  submit: () => Promise<void>;
  skip: (reason: string) => Promise<void>;
  release: () => Promise<void>;
  /** Leaves the present item as a draft and takes another. */
  another: () => Promise<void>;
  claim: (item?: string) => Promise<void>;
}

interface Options {
  /** Whether an item is wanted on the desk; looking through one's own items reserves none. */
  wanted: boolean;
  /** Said aloud to screen readers and shown for a while. */
  say: (text: string) => void;
  /** Counts have changed. */
  onSettled: () => void;
}

/** The server no longer knows the lease as ours. */
function is_lost(error: unknown): boolean {
  return error instanceof Problem && (error.status === 404 || error.status === 409 || error.status === 410);
}

function lease_path(work: Work, action: string): string {
  return `/api/v1/queue/leases/${work.task.lease}/${action}`;
}

export function useDesk({ wanted, say, onSettled }: Options): Desk {
  const [state, set_state] = useState<State>({ kind: "claiming" });
  const [now, set_now] = useState(() => performance.now());
  const current = useRef(state);
  const active_at = useRef(performance.now());
  const shown_ms = useRef(0); // time this item was in view
  const submit_key = useRef<{ body: string; key: string }>({ body: "", key: "" });
  const begun = useRef(false);
  const save_timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const set = useCallback((next: State) => {
    current.current = next;
    set_state(next);
  }, []);

  /** Changes the work, unless it is on another item by now. */
  const change = useCallback(
    (item: string, edit: (work: Work) => Work) => {
      const at = current.current;
      if (at.kind === "working" && at.work.task.item === item) set({ kind: "working", work: edit(at.work) });
    },
    [set],
  );

  const claim = useCallback(
    async (item?: string) => {
      begun.current = true;
      set({ kind: "claiming" });
      try {
        const reply = await send<Claim>("/api/v1/queue/claim", { body: item === undefined ? {} : { item } });
        if (reply.task === null) {
          put_on_desk(null);
          set({ kind: "nothing", why: reply.why ?? "empty" });
          return;
        }
        put_on_desk(reply.task.item);
        shown_ms.current = 0;
        active_at.current = performance.now();
        set({ kind: "working", work: begin(reply.task, kept(reply.task.item), performance.now()) });
      } catch (error) {
        if (item !== undefined && is_lost(error)) return await claim();
        set({ kind: "failed", why: problem_text(error) });
      }
    },
    [set],
  );

  const save = useCallback(
    async (keepalive = false) => {
      clearTimeout(save_timer.current);
      const at = current.current;
      if (at.kind !== "working" || at.work.lost || at.work.submitting || at.work.save.kind === "clean") return;
      const { item } = at.work.task;
      const written = at.work.written;
      change(item, saving);
      try {
        const path = lease_path(at.work, "draft");
        const reply = await send<{ saved_at: string; seconds_left: number }>(path, {
          method: "PUT",
          body: written,
          keepalive,
        });
        forget(item);
        change(item, (work) => saved(work, written, reply.saved_at, reply.seconds_left, performance.now()));
        const after = current.current;
        if (after.kind === "working" && after.work.task.item === item && after.work.save.kind === "changed") {
          save_timer.current = setTimeout(() => void save(), kSaveAfterMs);
        }
      } catch (error) {
        if (is_lost(error)) {
          change(item, (work) => ({ ...work, lost: true, save: { kind: "changed" } }));
          return;
        }
        change(item, (work) => ({ ...work, save: { kind: "failed", why: problem_text(error) } }));
        save_timer.current = setTimeout(() => void save(), kSaveAgainMs);
      }
    },
    [change],
  );

  const renew = useCallback(
    async (work: Work) => {
      const { item } = work.task;
      // The next attempt is as far away as after a success.
      change(item, (old) => ({ ...old, lease: { ...old.lease, renewed_at: performance.now() } }));
      try {
        const reply = await send<{ seconds_left: number }>(lease_path(work, "renew"));
        change(item, (old) => ({ ...old, lease: lease_of(reply.seconds_left, performance.now()) }));
      } catch (error) {
        if (is_lost(error)) change(item, (old) => ({ ...old, lost: true }));
      }
    },
    [change],
  );

  useEffect(() => {
    if (wanted && !begun.current) void claim(item_on_desk() ?? undefined);
  }, [wanted, claim]);

  useEffect(() => {
    const tick = setInterval(() => {
      const time = performance.now();
      set_now(time);
      if (document.visibilityState === "visible") shown_ms.current += kTickMs;
      const at = current.current;
      if (at.kind !== "working" || at.work.lost) return;
      if (lease_state(at.work.lease, time) === "over") change(at.work.task.item, (work) => ({ ...work, lost: true }));
      else if (should_renew(at.work.lease, time, active_at.current)) void renew(at.work);
    }, kTickMs);
    const moved = () => {
      active_at.current = performance.now();
    };
    const leaving = () => {
      if (document.visibilityState === "hidden") void save(true);
    };
    const events = ["pointerdown", "keydown", "scroll", "pointermove"] as const;
    for (const name of events) addEventListener(name, moved, { passive: true });
    document.addEventListener("visibilitychange", leaving);
    return () => {
      clearInterval(tick);
      void save(true);
      for (const name of events) removeEventListener(name, moved);
      document.removeEventListener("visibilitychange", leaving);
    };
  }, []);

  const on_write = useCallback(
    (written: Partial<Written>) => {
      const at = current.current;
      if (at.kind !== "working" || at.work.submitting) return;
      const next = write(at.work, written);
      if (next === at.work) return;
      set({ kind: "working", work: next });
      keep(next.task.item, next.written);
      clearTimeout(save_timer.current);
      save_timer.current = setTimeout(() => void save(), kSaveAfterMs);
    },
    [set, save],
  );

  /** One change that settles the item, then the next item. */
  const settle = useCallback(
    async (path: (work: Work) => string, body: unknown, message: (reply: unknown) => string, key?: string) => {
      const at = current.current;
      if (at.kind !== "working" || at.work.submitting) return;
      const { item } = at.work.task;
      clearTimeout(save_timer.current);
      change(item, (work) => ({ ...work, submitting: true, problem: null }));
      try {
        const reply = await send<unknown>(path(at.work), { body, ...(key === undefined ? {} : { key }) });
        forget(item);
        say(message(reply));
        onSettled();
        await claim();
      } catch (error) {
        change(item, (work) => ({
          ...work,
          submitting: false,
          lost: work.lost || is_lost(error),
          problem: problem_text(error),
        }));
      }
    },
    [change, claim, onSettled, say],
  );

  const submit = useCallback(async () => {
    const at = current.current;
    if (at.kind !== "working") return;
    const problem = obstacle(at.work.written);
    if (problem !== null) {
      change(at.work.task.item, (work) => ({ ...work, problem }));
      return;
    }
    const same_body = JSON.stringify([at.work.task.lease, at.work.written]);
    // A repeat of the same judgment, after a lost answer, is the same intention.
    if (submit_key.current.body !== same_body) {
      const seconds_spent = Math.min(86_400, shown_ms.current / 1000);
      submit_key.current = { body: same_body, key: new_key() };
      submit_body.current = { ...at.work.written, seconds_spent };
    }
    await settle(
      (work) => lease_path(work, "submit"),
      submit_body.current,
      (reply) => submitted_message(reply as Submitted),
      submit_key.current.key,
    );
  }, [change, settle]);
  const submit_body = useRef<object>({});

  const skip = useCallback(
    (reason: string) =>
      settle(
        (work) => lease_path(work, "skip"),
        { reason },
        () => "Skipped. You will not see it again.",
      ),
    [settle],
  );
  const release = useCallback(
    () =>
      settle(
        (work) => lease_path(work, "release"),
        {},
        () => "Given back.",
      ),
    [settle],
  );
  const another = useCallback(async () => {
    await save();
    onSettled();
    await claim();
  }, [save, claim, onSettled]);

  return { state, now, write: on_write, submit, skip, release, another, claim };
}
