// Numbers, money and times as people read them. Pure; the report (src/round/report_html.cc) writes them alike.

import type { Score } from "./api/types";

export const kNothing = "–";

export type Range = readonly [number, number];

/** A share in [0, 1] as "66.0 %". */
export function percent(share: number | null | undefined, digits = 1): string {
  return share == null || !Number.isFinite(share) ? kNothing : `${(100 * share).toFixed(digits)} %`;
}

/** "60 instructions, 2 without a judgment": what a score is over. */
export function judged(score: Score): string {
  const missing = score.missing > 0 ? `, ${count(score.missing)} without a judgment` : "";
  return `${count(score.count)} instructions${missing}`;
}

/** Two shares as "58.1 to 73.2". */
export function interval(range: Range | null | undefined): string {
  return range == null ? kNothing : `${(100 * range[0]).toFixed(1)} to ${(100 * range[1]).toFixed(1)}`;
}

/** A difference of shares in points, with its sign: "+4.2". */
export function points(difference: number | null | undefined): string {
  if (difference == null || !Number.isFinite(difference)) return kNothing;
  const value = (100 * difference).toFixed(1);
  return difference > 0 ? `+${value}` : value.replace("-", "−");
}

export function decimal(value: number | null | undefined, digits: number): string {
  return value == null || !Number.isFinite(value) ? kNothing : value.toFixed(digits).replace("-", "−");
}

/** 12345 as "12,345", with a thin separator that no reader mistakes for a decimal point. */
export function count(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return kNothing;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** Micro-dollars as "$1.27"; small amounts keep what matters: "$0.0042". */
export function dollars(micro: number | null | undefined): string {
  if (micro == null || !Number.isFinite(micro)) return kNothing;
  const value = micro / 1e6;
  const size = Math.abs(value);
  const digits = size === 0 || size >= 0.1 ? 2 : size >= 0.001 ? 4 : 6;
  return `${value < 0 ? "−" : ""}$${size.toFixed(digits)}`;
}

/** "0.4 s", "47 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return kNothing;
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1).replace(/\.?0+$/, "")} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (major: number, majorName: string, minor: number, minorName: string): string =>
    minor === 0 ? `${major} ${majorName}` : `${major} ${majorName} ${minor} ${minorName}`;
  if (whole < 3600) return two(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** Milliseconds left as a clock: "4:05". Never below "0:00". */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function bytes(size: number | null | undefined): string {
  if (size == null || !Number.isFinite(size)) return kNothing;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** "just now", "4 min ago", "3 h ago", then the date. */
export function ago(then: string, now: number): string {
  const seconds = (now - Date.parse(then)) / 1000;
  if (!Number.isFinite(seconds)) return kNothing;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 24 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return date_time(then);
}

/** In the reader's own zone: "24 Nov, 03:51". */
export function date_time(text: string | null | undefined): string {
  const time = text == null ? Number.NaN : Date.parse(text);
  if (!Number.isFinite(time)) return kNothing;
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  }).format(time);
}

/** A hash's first digits, enough to tell adapters apart. */
export function short_hash(hash: string | null | undefined): string {
  return hash == null || hash === "" ? kNothing : hash.slice(0, 12);
}

/** "needs_review" as "needs review". */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}
