// What is being written, kept in this tab until the server has it: a reload or a lost line loses nothing.
import type { Written } from "./work";

const kItem = "cutd.item";
const kDraft = "cutd.draft.";

export function keep(item: string, written: Written): void {
  sessionStorage.setItem(kDraft + item, JSON.stringify(written));
}

export function forget(item: string): void {
  sessionStorage.removeItem(kDraft + item);
}

export function kept(item: string): Written | null {
  const text = sessionStorage.getItem(kDraft + item);
  return text === null ? null : (JSON.parse(text) as Written);
}

/** The item that was on the desk when the page was left. */
export function item_on_desk(): string | null {
  return sessionStorage.getItem(kItem);
}

export function put_on_desk(item: string | null): void {
  if (item === null) sessionStorage.removeItem(kItem);
  else sessionStorage.setItem(kItem, item);
}

/** At signing out: the next person at this browser finds nothing. */
export function forget_all(): void {
  for (const key of Object.keys(sessionStorage)) {
    if (key === kItem || key.startsWith(kDraft)) sessionStorage.removeItem(key);
  }
}
