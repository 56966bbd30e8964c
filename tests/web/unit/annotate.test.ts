import { describe, expect, it } from "vitest";
import { action_of, kKeys } from "../../../web/src/annotate/keys";
import { kAwayMs, kRenewEveryMs, lease_of, lease_state, should_renew } from "../../../web/src/annotate/lease";
import { blocks_of, spans_of } from "../../../web/src/annotate/markdown";
import { begin, obstacle, saved, saving, submitted_message, write } from "../../../web/src/annotate/work";
import type { Task } from "../../../web/src/api/types";

const kTask: Task = {
  item: "item000000000001",
  lease: "0".repeat(32),
  seconds_left: 1200,
  renew_within_seconds: 60,
  instruction: { text: "Name a colour.", input: "" },
  response: { text: "Blue." },
  guideline: "g".repeat(64),
  draft: null,
  suggestion: null,
};

describe("a lease", () => {
  const lease = lease_of(1200, 0);
  it("is renewed each minute while somebody works", () => {
    expect(should_renew(lease, kRenewEveryMs - 1, 0)).toBe(false);
    expect(should_renew(lease, kRenewEveryMs, 0)).toBe(true);
  });
  it("runs out when nobody has touched the page for long", () => {
    expect(should_renew(lease, kAwayMs + 1, 0)).toBe(false);
  });
  it("warns before its end and is over after it", () => {
    expect(lease_state(lease, 1_000_000)).toBe("held");
    expect(lease_state(lease, 1_100_000)).toBe("ending");
    expect(lease_state(lease, 1_200_000)).toBe("over");
    expect(should_renew(lease, 1_200_000, 1_200_000)).toBe(false);
  });
  it("of few seconds is renewed at half its time", () => {
    expect(should_renew(lease_of(20, 0), 10_000, 9_000)).toBe(true);
    expect(should_renew(lease_of(20, 0), 9_000, 9_000)).toBe(false);
  });
});

describe("the item in work", () => {
  it("begins with what was last written: this tab, then the server's draft, then the suggestion", () => {
    const draft = { label: "negative" as const, text: "draft", saved_at: "2026-01-01T00:00:00Z" };
    const suggestion = { label: "positive" as const, text: "", source: "judge" };
    expect(begin({ ...kTask, draft, suggestion }, { label: "negative", text: "kept" }, 0).written.text).toBe("kept");
    expect(begin({ ...kTask, draft, suggestion }, null, 0).written.text).toBe("draft");
    const suggested = begin({ ...kTask, suggestion }, null, 0);
    expect(suggested.written.label).toBe("positive");
    expect(suggested.suggested).toBe(true);
    expect(write(suggested, { text: "mine" }).suggested).toBe(false);
  });
  it("is saved only when the server has what is here", () => {
    const changed = write(begin(kTask, null, 0), { text: "one" });
    expect(changed.save.kind).toBe("changed");
    const during = write(saving(changed), { text: "one two" });
    const after = saved(during, { label: null, text: "one" }, "2026-01-01T00:00:00Z", 1200, 5000);
    expect(after.save.kind).toBe("changed"); // typed on while it was being saved
    expect(after.lease.ends_at).toBe(1_205_000);
    expect(saved(during, { label: null, text: "one two" }, "2026-01-01T00:00:00Z", 1200, 0).save.kind).toBe("clean");
  });
  it("needs a verdict, and words for a criticism", () => {
    expect(obstacle({ label: null, text: "x" })).toContain("verdict");
    expect(obstacle({ label: "negative", text: "  " })).toContain("wrong");
    expect(obstacle({ label: "positive", text: "" })).toBeNull();
    expect(obstacle({ label: "negative", text: "too long" })).toBeNull();
  });
  it("says when a submission came too late to count", () => {
    expect(submitted_message({ item: "i", state: "counted", submitted_at: "" })).toBe("Submitted.");
    expect(submitted_message({ item: "i", state: "surplus", submitted_at: "" })).toContain("not counted");
  });
});

describe("keys", () => {
  const plain = (key: string) => ({ key, ctrl: false, meta: false, alt: false });
  it("each do one thing", () => {
    expect(new Set(kKeys.map((line) => line.keys)).size).toBe(kKeys.length);
    expect(new Set(kKeys.map((line) => line.action)).size).toBe(kKeys.length);
    expect(action_of(plain("1"), false, true)).toBe("perfect");
    expect(action_of(plain("?"), false, true)).toBe("help");
  });
  it("never take letters from a text field", () => {
    for (const { keys } of kKeys.filter((line) => line.keys.length === 1))
      expect(action_of(plain(keys), true, true)).toBeNull();
    expect(action_of(plain("Escape"), true, true)).toBe("leave");
    expect(action_of({ key: "Enter", ctrl: true, meta: false, alt: false }, true, true)).toBe("submit");
    expect(action_of({ key: "Enter", ctrl: false, meta: true, alt: false }, true, false)).toBe("submit");
  });
  it("of one letter can be switched off, and leave the browser's own alone", () => {
    expect(action_of(plain("s"), false, false)).toBeNull();
    expect(action_of({ key: "s", ctrl: true, meta: false, alt: false }, false, true)).toBeNull();
    expect(action_of({ key: "1", ctrl: false, meta: false, alt: true }, false, true)).toBeNull();
  });
});

describe("guidelines", () => {
  it("are read into headings, lists and paragraphs", () => {
    expect(blocks_of("# A\n\none\ntwo\n\n- x\n- **y**\n1. z").map((block) => block.kind)).toEqual([
      "heading",
      "paragraph",
      "list",
      "list",
    ]);
    expect(spans_of("a **b** `c`")).toEqual([
      { kind: "text", text: "a " },
      { kind: "strong", text: "b" },
      { kind: "text", text: " " },
      { kind: "code", text: "c" },
    ]);
  });
  it("keep links and markup as the text they are", () => {
    const text = "[x](javascript:alert(1)) <img src=x onerror=alert(1)>";
    expect(blocks_of(text)).toEqual([{ kind: "paragraph", spans: [{ kind: "text", text }] }]);
  });
});
