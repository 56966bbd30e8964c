// The mock's check of a configuration: enough of the daemon's rules for every state of the page.
import type { NewRun, RunCheck, RunPlan } from "../src/api/plan_types";
import { json, problem, type Reply } from "./replies";

const kPlan: RunPlan = {
  rounds: 6,
  responses: { train: 2400, gate: 700, report: 400, all: 3500 },
  judge_calls: 3500,
  cost: { paid: true, likely_usd: 7.4, most_usd: 21.9, cap_usd: 10 },
  memory: { parameters: 13_015_864_320, weight_bytes: 26_031_728_640, cache_bytes: 4_294_967_296, training_bytes: 9e9 },
  seconds: { generation: 5200, judging: 8100, training: 12_400 },
  assumed: {
    response_tokens: 256,
    judgment_tokens: 64,
    judge_seconds: 5,
    gpu: true,
    generation_tokens_per_second: 1380,
    training_tokens_per_second: 6100,
  },
};

export function plan_of(body: unknown): Reply {
  const { text = "", origin = "request body", files = {} } = body as Partial<NewRun>;
  const unknown = /^\s*(learning_rat|modl):/m.exec(text)?.[1];
  if (unknown !== undefined) return problem(400, `${origin}: unknown key "${unknown}"`, "usage");
  const named = [...text.matchAll(/(train|gate|report): *([\w./-]+\.jsonl)/g)];
  const check: RunCheck = {
    name: /^name: *(\w+)/m.exec(text)?.[1] ?? "run",
    files: named.map(([, key = "", name = ""]) => ({ key: `data.${key}`, name, given: name in files })),
    plan: kPlan,
  };
  return json({ ...check, plan: check.files.every((file) => file.given) ? kPlan : null });
}
