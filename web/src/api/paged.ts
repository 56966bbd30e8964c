// A list of the API as a component's state, page after page: `next` of a reply is the cursor of the following one.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, problem_text } from "./client";

export interface Page<Row> {
  rows: Row[];
  next: string | null;
}

export interface Paged<Row> {
  rows: Row[];
  error: string | null;
  loading: boolean;
  /** Asks for the following page; null: there is none. */
  more: (() => void) | null;
  /** From the first page again. */
  reload: () => void;
  /** Takes a row away that is done with, and leaves the others where they are. */
  drop: (row: Row) => void;
}

interface State<Row> {
  query: string;
  page: Page<Row> | null;
  error: string | null;
}

/** `query`: the address with its filters; `page_of` reads a reply. */
export function usePaged<Row, Reply>(query: string, page_of: (reply: Reply) => Page<Row>): Paged<Row> {
  const [state, set] = useState<State<Row>>({ query: "", page: null, error: null });
  const [turn, set_turn] = useState(0);
  const asking = useRef<string | null>(null);
  useEffect(() => {
    const cancel = new AbortController();
    get<Reply>(query, cancel.signal).then(
      (reply) => set({ query, page: page_of(reply), error: null }),
      (error: unknown) => {
        if (!cancel.signal.aborted) set({ query, page: null, error: problem_text(error) });
      },
    );
    return () => cancel.abort();
  }, [query, turn]);
  const current = state.query === query;
  const page = current ? state.page : null;
  const error = current ? state.error : null;
  const more = () => {
    const cursor = page?.next ?? null;
    if (cursor === null || asking.current === cursor) return;
    asking.current = cursor;
    get<Reply>(`${query}${query.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`)
      .then(page_of)
      .then(
        ({ rows, next }) =>
          set((old) =>
            old.query === query && old.page?.next === cursor
              ? { query, page: { rows: [...old.page.rows, ...rows], next }, error: null }
              : old,
          ),
        (problem: unknown) => set((old) => ({ ...old, error: problem_text(problem) })),
      )
      .finally(() => (asking.current = null));
  };
  return {
    rows: page?.rows ?? [],
    error,
    loading: page === null && error === null,
    more: page?.next == null ? null : more,
    reload: () => set_turn((value) => value + 1),
    drop: (row) =>
      set((old) =>
        old.page ? { ...old, page: { ...old.page, rows: old.page.rows.filter((one) => one !== row) } } : old,
      ),
  };
}
