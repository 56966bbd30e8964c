// The desk's talk with a server: what it makes of each refusal.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Desk } from "../../../web/src/annotate/desk";
import type { State, Work } from "../../../web/src/annotate/work";
import { MockApi } from "../../../web/mock/api";

let api: MockApi;
let desk: Desk;
let state: State;
let said: string[];

const work = (): Work => {
  if (state.kind !== "working") throw new Error(`the desk is ${state.kind}`);
  return state.work;
};
const asked = (action: string) => api.requests.filter(({ path }) => path.endsWith(`/${action}`));

beforeEach(async () => {
  vi.useFakeTimers();
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const headers = init.headers as Record<string, string>;
    const body = init.body === undefined ? {} : (JSON.parse(String(init.body)) as unknown);
    const reply = api.answer(init.method ?? "GET", path, body, headers["Idempotency-Key"]);
    return new Response(reply.body, { status: reply.status, headers: { "Content-Type": reply.type } });
  });
  api = new MockApi({ role: "annotator" });
  said = [];
  desk = new Desk({ onState: (next) => (state = next), say: (text) => said.push(text), onSettled: () => {} });
  await desk.claim();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the desk", () => {
  it("asks again with the same key while the first request is at work, and loses nothing", async () => {
    const first = work().task.item;
    desk.write({ label: "positive" });
    api.desk.busy = 2;
    const submitted = desk.submit();
    await vi.advanceTimersByTimeAsync(2500);
    await submitted;
    expect(asked("submit")).toHaveLength(3);
    expect(new Set(asked("submit").map(({ key }) => key)).size).toBe(1);
    expect(work().task.item).not.toBe(first);
    expect(said).toEqual(["Submitted."]);
  });

  it("says that a request is still at work when it stays so, not that the reservation has ended", async () => {
    desk.write({ label: "positive" });
    api.desk.busy = 100;
    const submitted = desk.submit();
    await vi.advanceTimersByTimeAsync(10_000);
    await submitted;
    expect(work().lost).toBe(false);
    expect(work().problem).toContain("still at work");
  });

  it("goes on to another item when this one was skipped in another window", async () => {
    const first = work().task.item;
    desk.write({ label: "negative", text: "Too long." });
    api.desk.skip_elsewhere();
    await desk.submit();
    expect(said).toEqual(["You have skipped this item already. Here is another one."]);
    expect(work().task.item).not.toBe(first);
    expect(work().lost).toBe(false);
  });

  it("says that the reservation has ended when it has", async () => {
    desk.write({ label: "negative", text: "Too long." });
    api.desk.leasesOver = true;
    await desk.save();
    expect(work().lost).toBe(true);
    expect(work().written.text).toBe("Too long.");
  });
});
