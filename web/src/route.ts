// Addresses and pages. Pure but for `go` and `listen`. The same list is in src/server/pages.cc.
import { useEffect, useState } from "preact/hooks";

export type Page =
  | { name: "dashboard" }
  | { name: "login" }
  | { name: "annotate"; view: QueueView }
  | { name: "run"; id: number }
  | { name: "round"; id: number }
  | { name: "responses"; id: number | null; query: URLSearchParams }
  | { name: "adapters" }
  | { name: "review" }
  | { name: "start" }
  | { name: "unknown" };

export const kQueueViews = ["pending", "draft", "submitted", "skipped"] as const;
export type QueueView = (typeof kQueueViews)[number];

function id_of(text: string | undefined): number | null {
  return text !== undefined && /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : null;
}

export function page_of(path: string, search = ""): Page {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0) return { name: "dashboard" };
  if (parts.length > 2) return { name: "unknown" };
  const [first, second] = parts;
  const id = id_of(second);
  if (first === "login" && second === undefined) return { name: "login" };
  if (first === "adapters" && second === undefined) return { name: "adapters" };
  if (first === "review" && second === undefined) return { name: "review" };
  if (first === "start" && second === undefined) return { name: "start" };
  if (first === "annotate") {
    const view = kQueueViews.find((name) => name === (second ?? "pending"));
    if (view !== undefined) return { name: "annotate", view };
  }
  if (first === "runs" && id !== null) return { name: "run", id };
  if (first === "rounds" && id !== null) return { name: "round", id };
  if (first === "responses" && (second === undefined || id !== null)) {
    return { name: "responses", id, query: new URLSearchParams(search) };
  }
  return { name: "unknown" };
}

const kMoved = "cutd:moved";

/** Goes to another page of ours without loading the document again. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  dispatchEvent(new Event(kMoved));
}

/** Links that only move within the pages are followed by `go`; everything else is the browser's. */
export function follow_links(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || link.origin !== location.origin || link.target !== "" || link.hasAttribute("download")) return;
  if (link.pathname === location.pathname && link.search === location.search && link.hash !== "") return;
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
}

export function useAddress(): { path: string; search: string } {
  const read = () => ({ path: location.pathname, search: location.search });
  const [address, set] = useState(read);
  useEffect(() => {
    const changed = () => set(read());
    addEventListener("popstate", changed);
    addEventListener(kMoved, changed);
    return () => {
      removeEventListener("popstate", changed);
      removeEventListener(kMoved, changed);
    };
  }, []);
  return address;
}
