// Small parts that every page uses.
import type { ComponentChildren } from "preact";
import { words } from "../format";

export type Tone = "good" | "bad" | "warn" | "active" | "";

const kTones: Record<string, Tone> = {
  promoted: "good",
  perfect: "good",
  positive: "good",
  completed: "good",
  verified: "good",
  submitted: "good",
  done: "good",
  closed: "good",
  rejected: "bad",
  failed: "bad",
  criticised: "bad",
  negative: "bad",
  refused: "bad",
  truncated: "bad",
  quarantined: "bad",
  open_circuit: "bad",
  paused: "warn",
  needs_review: "warn",
  unknown: "warn",
  surplus: "warn",
  skipped: "warn",
  active: "active",
  generating: "active",
  judging: "active",
  training: "active",
  evaluating: "active",
  draft: "active",
};

export function Pill({ name, text }: { name: string; text?: string }) {
  return <span class={`pill ${kTones[name] ?? ""}`}>{text ?? words(name)}</span>;
}

interface CardProps {
  label: string;
  under?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Card({ label, under, wide = false, children }: CardProps) {
  return (
    <div class={wide ? "card wide" : "card"}>
      <div class="label">{label}</div>
      <div class="figure">{children}</div>
      {under !== undefined && <div class="under">{under}</div>}
    </div>
  );
}

/** A share of something as a bar, named for those who do not see it. */
export function Bar({ share, label, tone = "" }: { share: number; label: string; tone?: Tone }) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, share)));
  return (
    <div
      class={`bar ${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect width={percent} height="8" />
      </svg>
    </div>
  );
}

export function Failure({ text, again }: { text: string; again?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <div class="said">{text}</div>
      {again && (
        <button class="small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd key={`${name}:`}>{value}</dd>
        </>
      ))}
    </dl>
  );
}
