// News of the daemon as server-sent events (/api/v1/events). The browser connects again by itself, and the
// daemon then sends the round events that were missed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Progress, QueueCounts, RoundEvent } from "./types";

export interface News {
  onRound?: (event: RoundEvent) => void;
  onProgress?: (progress: Progress) => void;
  onMessage?: (text: string) => void;
  onQueue?: (counts: QueueCounts) => void;
}

const kAgainMs = 5000; // after the browser has given up (a refusal, not a broken line)

/** Whether the line is open. Listeners may change with each drawing. */
export function useNews(news: News): boolean {
  const latest = useRef(news);
  latest.current = news;
  const [open, set_open] = useState(false);
  useEffect(() => {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const connect = () => {
      source = new EventSource("/api/v1/events");
      const on = <T>(name: string, use: (data: T) => void) =>
        source?.addEventListener(name, (event) => use(JSON.parse((event as MessageEvent<string>).data) as T));
      source.addEventListener("open", () => set_open(true));
      source.addEventListener("error", () => {
        set_open(false);
        if (ended || source?.readyState !== EventSource.CLOSED) return;
        timer = setTimeout(connect, kAgainMs);
      });
      on<RoundEvent>("round", (event) => latest.current.onRound?.(event));
      on<Progress>("progress", (progress) => latest.current.onProgress?.(progress));
      on<{ text: string }>("message", (message) => latest.current.onMessage?.(message.text));
      on<QueueCounts>("queue", (counts) => latest.current.onQueue?.(counts));
    };
    connect();
    return () => {
      ended = true;
      clearTimeout(timer);
      source?.close();
    };
  }, []);
  return open;
}
