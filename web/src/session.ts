// Who reads: asked of the daemon once, forgotten when a request says the session has ended.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { get, Problem, send } from "./api/client";
import type { Session } from "./api/types";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("a page without a session");
  return session;
}

export function may_operate(session: Session): boolean {
  return session.role === "operator";
}

/** Operators and viewers see rounds; annotators see their queue. */
export function may_see_rounds(session: Session): boolean {
  return session.role !== "annotator";
}

export async function current_session(): Promise<Session | null> {
  try {
    return await get<Session>("/api/v1/session");
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

export function sign_in(name: string, password: string): Promise<Session> {
  return send<Session>("/api/v1/session", { body: { name, password } });
}

export function sign_in_by_link(token: string): Promise<Session> {
  return send<Session>("/api/v1/session", { body: { link: token } });
}

export async function sign_out(): Promise<void> {
  await send<void>("/api/v1/session", { method: "DELETE" });
}
