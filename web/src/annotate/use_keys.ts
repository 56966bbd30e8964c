// Keys pressed anywhere on the page as actions.
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Action, action_of, takes_text } from "./keys";

/** `listening` false: a dialog is open and has its own keys. */
export function useKeys(listening: boolean, single_keys: boolean, perform: (action: Action) => void): void {
  const latest = useRef(perform);
  latest.current = perform;
  // Before the browser can deliver a key: what closes a dialog is often followed by the next key at once.
  useLayoutEffect(() => {
    if (!listening) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.repeat) return;
      const key = { key: event.key, ctrl: event.ctrlKey, meta: event.metaKey, alt: event.altKey };
      const action = action_of(key, takes_text(event.target), single_keys);
      if (action === null) return;
      event.preventDefault();
      latest.current(action);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [listening, single_keys]);
}
