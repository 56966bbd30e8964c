import { describe, expect, it } from "vitest";
import {
  ago,
  bytes,
  clock,
  count,
  dollars,
  duration,
  interval,
  judged,
  percent,
  points,
  short_hash,
} from "../../../web/src/format";
import type { Score } from "../../../web/src/api/types";
import { kSummaries } from "../../../web/mock/world";

describe("percent and points", () => {
  it("writes shares as the report does", () => {
    expect(percent(0.66)).toBe("66.0 %");
    expect(percent(0.125, 0)).toBe("13 %");
    expect(interval([0.581, 0.732])).toBe("58.1 to 73.2");
  });
  it("shows a missing number as a dash, never as 0 or NaN", () => {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(percent(value)).toBe("–");
    expect(points(null)).toBe("–");
  });
  it("says how many answers a score is over, and how many have no judgment", () => {
    const score = kSummaries[0]?.gate as Score;
    expect(judged({ ...score, count: 60, missing: 0 })).toBe("60 instructions");
    expect(judged({ ...score, count: 58, missing: 2 })).toBe("58 instructions, 2 without a judgment");
  });
  it("gives differences their sign", () => {
    expect(points(0.042)).toBe("+4.2");
    expect(points(-0.02)).toBe("−2.0");
    expect(points(0)).toBe("0.0");
  });
});

describe("dollars", () => {
  it("keeps what matters of small amounts", () => {
    expect(dollars(1_270_000)).toBe("$1.27");
    expect(dollars(4_200)).toBe("$0.0042");
    expect(dollars(12)).toBe("$0.000012");
    expect(dollars(0)).toBe("$0.00");
    expect(dollars(-500_000)).toBe("−$0.50");
  });
});

describe("duration and clock", () => {
  it("names at most two units", () => {
    expect(duration(0.42)).toBe("0.42 s");
    expect(duration(47.2)).toBe("47 s");
    expect(duration(185)).toBe("3 min 5 s");
    expect(duration(7800)).toBe("2 h 10 min");
    expect(duration(3 * 86_400 + 4 * 3600)).toBe("3 d 4 h");
  });
  it("counts down to zero and no further", () => {
    expect(clock(245_000)).toBe("4:05");
    expect(clock(1)).toBe("0:01");
    expect(clock(-5000)).toBe("0:00");
  });
});

describe("the rest", () => {
  it("groups thousands without a decimal point's look-alike", () => {
    expect(count(1_234_567)).toBe("1\u202f234\u202f567");
    expect(count(999)).toBe("999");
  });
  it("says how long ago", () => {
    const now = Date.parse("2026-11-24T10:00:00Z");
    expect(ago("2026-11-24T09:59:40Z", now)).toBe("just now");
    expect(ago("2026-11-24T09:56:00Z", now)).toBe("4 min ago");
    expect(ago("2026-11-24T07:00:00Z", now)).toBe("3 h ago");
    expect(ago("nonsense", now)).toBe("–");
  });
  it("shortens bytes and hashes", () => {
    expect(bytes(412e9)).toBe("412 GB");
    expect(bytes(1500)).toBe("1.5 kB");
    expect(short_hash("0123456789abcdef")).toBe("0123456789ab");
    expect(short_hash("")).toBe("–");
  });
});
