// News of the daemon as server-sent events (/api/v1/events). A broken line is opened again, and the daemon then sends
// the round events that were missed. A hidden page keeps no line: browsers allow few to one address.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Progress, QueueCounts, RoundEvent } from "./types";

export interface News {
  onRound?: (event: RoundEvent) => void;
  onProgress?: (progress: Progress) => void;
  onMessage?: (text: string) => void;
  onQueue?: (counts: QueueCounts) => void;
  /** The line is open, again if `again`: what has no event of its own may have changed, and messages come anew. */
  onOpen?: (again: boolean) => void;
}

const kAgainMs = 5000; // after the browser has given up (a refusal, not a broken line)

class Line {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last_round_event: number | null = null;
  private was_open = false;

  constructor(
    private readonly news: () => News,
    private readonly show_open: (open: boolean) => void,
  ) {}

  open(): void {
    if (this.source !== null) return;
    const source = new EventSource(
      this.last_round_event === null ? "/api/v1/events" : `/api/v1/events?after=${this.last_round_event}`,
    );
    this.source = source;
    const on = <T>(name: string, use: (data: T) => void) =>
      source.addEventListener(name, (event) => use(JSON.parse((event as MessageEvent<string>).data) as T));
    source.addEventListener("open", () => {
      this.show_open(true);
      this.news().onOpen?.(this.was_open);
      this.was_open = true;
    });
    source.addEventListener("error", () => {
      this.show_open(false);
      if (source.readyState !== EventSource.CLOSED || this.source !== source) return;
      this.source = null;
      this.timer = setTimeout(() => this.open(), kAgainMs);
    });
    on<RoundEvent>("round", (event) => {
      this.last_round_event = event.id;
      this.news().onRound?.(event);
    });
    on<Progress>("progress", (progress) => this.news().onProgress?.(progress));
    on<{ text: string }>("message", (message) => this.news().onMessage?.(message.text));
    on<QueueCounts>("queue", (counts) => this.news().onQueue?.(counts));
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.show_open(false);
  }
}

/** Whether the line is open. Listeners may change with each drawing. */
export function useNews(news: News): boolean {
  const latest = useRef(news);
  latest.current = news;
  const [open, set_open] = useState(false);
  useEffect(() => {
    const line = new Line(() => latest.current, set_open);
    const seen = () => (document.visibilityState === "visible" ? line.open() : line.close());
    seen();
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      line.close();
    };
  }, []);
  return open;
}
