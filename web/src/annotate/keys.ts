// The keyboard of the annotation page. Single letters act only outside text fields, and can be switched off
// (WCAG 2.1.4); the others act everywhere. Pure but for the stored choice.

export type Action =
  | "perfect"
  | "criticise"
  | "write"
  | "leave"
  | "submit"
  | "skip"
  | "another"
  | "release"
  | "guidelines"
  | "help"
  | "view_before"
  | "view_after"
  | "item_before"
  | "item_after";

export interface KeyLine {
  keys: string;
  action: Action;
  text: string;
}

/** What the help shows, in its order. */
export const kKeys: readonly KeyLine[] = [
  { keys: "1", action: "perfect", text: "Verdict: perfect" },
  { keys: "2", action: "criticise", text: "Verdict: needs work, and write what is wrong" },
  { keys: "e", action: "write", text: "Go to the text" },
  { keys: "Esc", action: "leave", text: "Leave the text, so that single keys work again" },
  { keys: "Ctrl Enter", action: "submit", text: "Submit and take the next item (⌘ Enter on a Mac)" },
  { keys: "s", action: "skip", text: "Skip, with a reason" },
  { keys: "n", action: "another", text: "Keep it as a draft and take another item" },
  { keys: "r", action: "release", text: "Give the item back unwritten" },
  { keys: "g", action: "guidelines", text: "Show or hide the guidelines" },
  { keys: "[", action: "view_before", text: "The view to the left" },
  { keys: "]", action: "view_after", text: "The view to the right" },
  { keys: "k", action: "item_before", text: "In a list: the item above" },
  { keys: "j", action: "item_after", text: "In a list: the item below" },
  { keys: "?", action: "help", text: "This help" },
];

const kSingle = new Map<string, Action>(
  kKeys.filter(({ keys }) => keys.length === 1).map(({ keys, action }) => [keys, action]),
);

export interface Pressed {
  key: string;
  ctrl: boolean;
  meta: boolean;
  alt: boolean;
}

export function action_of(pressed: Pressed, in_text: boolean, single_keys: boolean): Action | null {
  if (pressed.alt) return null;
  if (pressed.ctrl || pressed.meta) return pressed.key === "Enter" ? "submit" : null;
  if (pressed.key === "Escape") return in_text ? "leave" : null;
  if (in_text || !single_keys) return null;
  return kSingle.get(pressed.key) ?? null;
}

/** Where letters are written, not pressed. */
export function takes_text(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "radio" && target.type !== "checkbox";
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

const kOff = "cutd.single_keys_off";

export function single_keys_on(): boolean {
  return localStorage.getItem(kOff) === null;
}

export function set_single_keys(on: boolean): void {
  if (on) localStorage.removeItem(kOff);
  else localStorage.setItem(kOff, "1");
}
