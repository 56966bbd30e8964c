// The mock answers what the contract says: every GET route that the pages read and every change of the queue, held to
// the schemas of schemas/openapi.yaml. A page that is right with the mock is then right with the daemon.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import add_formats from "ajv-formats";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MockApi, type Reply } from "../../../web/mock/api";

interface Operation {
  responses: Record<string, { $ref?: string; content?: Record<string, { schema?: object }> }>;
}
interface Contract {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, { content: Record<string, { schema: object }> }> };
}

const kContract = parse(
  readFileSync(fileURLToPath(new URL("../../../schemas/openapi.yaml", import.meta.url)), "utf8"),
) as Contract;

const ajv = new Ajv2020({ strict: false, allErrors: true });
add_formats(ajv);
ajv.addSchema({ ...kContract, $id: "contract:openapi" });

/** "/runs/7" and GET: the operation that answers it. A path without braces goes before one with them. */
function operation_of(method: string, path: string): { name: string; operation: Operation } {
  const parts = path.split("/");
  const fits = Object.keys(kContract.paths).filter((pattern) => {
    const wanted = pattern.split("/");
    return wanted.length === parts.length && wanted.every((part, i) => part === parts[i] || part.startsWith("{"));
  });
  const pattern = fits.sort((a, b) => a.split("{").length - b.split("{").length)[0];
  const operation = pattern === undefined ? undefined : kContract.paths[pattern]?.[method.toLowerCase()];
  if (pattern === undefined || operation === undefined) throw new Error(`the contract has no ${method} ${path}`);
  return { name: `${method} ${pattern}`, operation };
}

const kKnown = new Map<string, ValidateFunction>();

/** `#/components/…` inside the contract means the contract. */
function validator(schema: object): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/components', '"contract:openapi#/components');
  const known = kKnown.get(text) ?? ajv.compile(JSON.parse(text) as object);
  kKnown.set(text, known);
  return known;
}

/** What is wrong with a reply; empty: nothing. */
function faults(method: string, url: string, reply: Reply): string[] {
  const { name, operation } = operation_of(method, new URL(url, "http://mock").pathname);
  const named = operation.responses[String(reply.status)] ?? operation.responses["default"];
  const response = named?.$ref ? kContract.components.responses[named.$ref.split("/").at(-1) ?? ""] : named;
  if (response?.content === undefined) return reply.body === "" ? [] : [`${name}: ${reply.status} has no body`];
  const schema = response.content[reply.type]?.schema;
  if (schema === undefined) return [`${name}: ${reply.status} is not ${reply.type}`];
  const validate = validator(schema);
  if (validate(JSON.parse(reply.body))) return [];
  return (validate.errors ?? []).map(
    (error) => `${name}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

const kReads = [
  "runs",
  "runs/1",
  "runs/2",
  "runs/99",
  "rounds",
  "rounds/14/summary",
  "rounds/15/summary",
  "rounds/14/events",
  "rounds/14/steps",
  "responses?label=negative&limit=20",
  "responses/900",
  "responses/900/tokens?judgment=5000",
  "annotators?run=2",
  "adapters",
  "models",
  "ledger?run=2",
  "ledger",
  "status",
  "session",
  "queue/rounds",
  "queue/people",
  "queue/review?limit=200",
  "queue/progress",
  "queue/guidelines",
  "queue/items?view=pending",
  "queue/items?view=draft",
  "queue/items?view=submitted",
  "queue/items?view=skipped",
];

describe("the mock", () => {
  let api: MockApi;
  beforeAll(() => (api = new MockApi({ role: "operator" })));
  const ask = (method: string, path: string, body: unknown = {}): Reply => {
    const url = `/api/v1/${path}`;
    const reply = api.answer(method, url, body);
    expect(faults(method, url, reply)).toEqual([]);
    return reply;
  };
  const value = (reply: Reply) => JSON.parse(reply.body) as Record<string, unknown>;

  it.each(kReads)("answers GET %s as the contract says", (path) => {
    ask("GET", path);
  });

  it("answers the queue's changes as the contract says, and lists what came of them so", () => {
    const claim_or_none = () => value(ask("POST", "queue/claim"))["task"] as { lease: string; item: string } | null;
    const claim = () => {
      const task = claim_or_none();
      if (task === null) throw new Error("the mock has nothing left");
      return task;
    };
    const first = claim();
    ask("POST", `queue/leases/${first.lease}/renew`);
    ask("PUT", `queue/leases/${first.lease}/draft`, { label: "negative", text: "half" });
    ask("POST", `queue/leases/${first.lease}/submit`, { label: "negative", text: "whole", seconds_spent: 3 });
    ask("POST", `queue/leases/${claim().lease}/skip`, { reason: "unclear" });
    ask("POST", `queue/leases/${claim().lease}/release`);
    ask("POST", "queue/leases/00000000000000000000000000000099/renew");
    const drafted = claim();
    ask("PUT", `queue/leases/${drafted.lease}/draft`, { label: null, text: "" });
    for (const view of ["pending", "draft", "submitted", "skipped"]) ask("GET", `queue/items?view=${view}`);
    ask("GET", `queue/items/${first.item}`);
    ask("GET", "queue/items/none");
    ask("POST", "queue/review/review0000000001/settle", { label: "positive", text: "" });
    ask("POST", "queue/review/review0000000002/reopen");
    ask("POST", "queue/rounds/15/close");
    ask("POST", "queue/people/4/unblock");
    for (let task = claim_or_none(); task !== null; task = claim_or_none())
      ask("POST", `queue/leases/${task.lease}/submit`, { label: "positive", text: "" });
  });

  it("answers the other changes as the contract says", () => {
    ask("POST", "runs/2/pause");
    ask("POST", "runs/2/resume");
    ask("POST", "runs/2/cancel");
    ask("POST", "rounds/15/retry");
    ask("POST", "runs/plan", { text: "name: x", origin: "x.yaml", files: {} });
    ask("POST", "runs", { text: "name: x", origin: "x.yaml", files: {} });
    ask("POST", "session/password", { password: "a long password" });
    ask("DELETE", "session");
    ask("GET", "session");
    ask("POST", "session", { name: "Ada", password: "correct horse" });
  });

  it("would be told of a reply that the contract does not know", () => {
    const body = JSON.stringify({ runs: [{ id: 0, more: true }] });
    const found = faults("GET", "/api/v1/runs", { status: 200, type: "application/json", body });
    expect(found.join("\n")).toMatch(/must NOT have additional properties/);
    expect(found.join("\n")).toMatch(/must have required property 'name'/);
  });
});
