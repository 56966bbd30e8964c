// A reply of the API as a component's state: loaded when its address changes, again when asked or on news.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, problem_text } from "./client";

export interface Resource<T> {
  data: T | null;
  error: string | null;
  /** Loads again; what is shown stays until the answer is there. */
  reload: () => void;
}

/** `path` null: nothing to load. `every` in milliseconds: loads again while the page is in view. */
export function useResource<T>(path: string | null, every?: number): Resource<T> {
  const [state, set] = useState<{ path: string | null; data: T | null; error: string | null }>({
    path: null,
    data: null,
    error: null,
  });
  const [turn, set_turn] = useState(0);
  const reload = useCallback(() => set_turn((value) => value + 1), []);

  useEffect(() => {
    if (path === null) return;
    const cancel = new AbortController();
    get<T>(path, cancel.signal).then(
      (data) => set({ path, data, error: null }),
      (error: unknown) => {
        if (cancel.signal.aborted) return;
        set((old) => ({ path, data: old.path === path ? old.data : null, error: problem_text(error) }));
      },
    );
    return () => cancel.abort();
  }, [path, turn]);

  useEffect(() => {
    if (every === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reload();
    }, every);
    return () => clearInterval(timer);
  }, [every, reload]);

  const current = state.path === path;
  return { data: current ? state.data : null, error: current ? state.error : null, reload };
}

/** Calls `action` at most once in `wait` milliseconds, however often it is asked. */
export function useThrottled(action: () => void, wait: number): () => void {
  const latest = useRef(action);
  latest.current = action;
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return useCallback(() => {
    if (timer.current !== null) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      latest.current();
    }, wait);
  }, [wait]);
}
