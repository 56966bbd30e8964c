// Requests to /api/v1 with the reader's session. Replies are JSON; failures are problem details (RFC 9457).

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** What a problem says to someone who reads the page. */
export function problem_text(error: unknown): string {
  if (error instanceof Problem) return error.message;
  return "The daemon cannot be reached. Is it running, and is the network up?";
}

const kSignedOut = "cutd:signed-out";

/** Called when a request was refused because the session has ended. */
export function on_signed_out(listener: () => void): () => void {
  addEventListener(kSignedOut, listener);
  return () => removeEventListener(kSignedOut, listener);
}

async function problem_of(reply: Response): Promise<Problem> {
  try {
    const body = (await reply.json()) as { title?: string; detail?: string; code?: string };
    return new Problem(reply.status, body.code ?? "", body.detail ?? body.title ?? reply.statusText);
  } catch {
    return new Problem(reply.status, "", `${reply.status} ${reply.statusText}`);
  }
}

async function answer_of<T>(reply: Response): Promise<T> {
  if (!reply.ok) {
    const problem = await problem_of(reply);
    if (reply.status === 401) dispatchEvent(new Event(kSignedOut));
    throw problem;
  }
  return reply.status === 204 ? (undefined as T) : ((await reply.json()) as T);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answer_of<T>(await fetch(path, { headers: { Accept: "application/json" }, ...(signal ? { signal } : {}) }));
}

interface Change {
  method?: "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** Of one intention: a repeat with the same key changes nothing more. */
  key?: string;
  /** Also while the page is being left. */
  keepalive?: boolean;
}

const kBusyAgainMs = 1000;
const kMostBusy = 5;

/** The first request with this key is still at work: its answer is ours as well. */
function is_at_work(error: unknown): boolean {
  return error instanceof Problem && error.status === 409 && error.code === "busy";
}

/** A change. While a request with the same key is at work it waits and asks again. */
export async function send<T>(path: string, change: Change = {}): Promise<T> {
  const keyed = { ...change, key: change.key ?? new_key() };
  for (let asked = 1; ; ++asked) {
    try {
      return await send_once<T>(path, keyed);
    } catch (error) {
      if (!is_at_work(error) || asked === kMostBusy) throw error;
      await new Promise((done) => setTimeout(done, kBusyAgainMs));
    }
  }
}

async function send_once<T>(path: string, change: Change & { key: string }): Promise<T> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Content-Type": "application/json",
    "Idempotency-Key": change.key,
  };
  return answer_of<T>(
    await fetch(path, {
      method: change.method ?? "POST",
      headers,
      body: JSON.stringify(change.body ?? {}),
      keepalive: change.keepalive ?? false,
    }),
  );
}

/** 128 random bits. `crypto.randomUUID` needs HTTPS, which a trial on a local network may lack. */
export function new_key(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** "/responses?label=negative&run=2": values that are empty or null are left out. */
export function with_query(path: string, query: Record<string, string | number | null | undefined>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === "" ? path : `${path}?${text}`;
}
