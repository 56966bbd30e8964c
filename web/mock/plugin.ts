// Serves MockApi from Vite's own server: `npm run mock`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { MockApi } from "./api";

async function body_of(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text === "" ? {} : JSON.parse(text);
}

export function mock_api(): Plugin {
  const api = new MockApi();
  const answer = async (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const url = request.url ?? "/";
    if (!url.startsWith("/api/")) return next();
    if (url.startsWith("/api/v1/events")) {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(api.event_text());
      return;
    }
    const reply = api.answer(request.method ?? "GET", url, await body_of(request));
    response.writeHead(reply.status, { "Content-Type": reply.type });
    response.end(reply.body);
  };
  return {
    name: "mock-api",
    configureServer: (server) =>
      void server.middlewares.use((request, response, next) => void answer(request, response, next)),
  };
}
