// What a run will ask for, before it is started.
import type { RunPlan } from "../api/plan_types";
import { Card } from "../components/pieces";
import { bytes, count, dollars, duration } from "../format";

function cost_words({ cost }: RunPlan): string {
  if (!cost.paid) return "the annotator has no price";
  const cap = cost.cap_usd > 0 ? `; nothing beyond the cap of ${dollars(1e6 * cost.cap_usd)} is sent` : "";
  return `at most ${dollars(1e6 * cost.most_usd)}${cap}`;
}

/** People and rules have no rate that could be counted with. */
function judging_words({ seconds }: RunPlan): string {
  return seconds.judging > 0
    ? `and ${duration(seconds.judging)} of judging beside it`
    : "of the model alone; judging is not counted";
}

export function PlanView({ name, plan }: { name: string; plan: RunPlan }) {
  const { responses, memory, seconds, assumed } = plan;
  return (
    <>
      <div class="cards" role="group" aria-label={`What ${name} will ask for`}>
        <Card label="Calls of the judge" under="one for each response, at most">
          {count(plan.judge_calls)}
        </Card>
        <Card label="Cost" under={cost_words(plan)}>
          {plan.cost.paid ? `about ${dollars(1e6 * plan.cost.likely_usd)}` : "none"}
        </Card>
        <Card label="Time" under={judging_words(plan)}>
          {duration(seconds.generation + seconds.training)}
        </Card>
        <Card label="Memory" under={`and ${bytes(memory.cache_bytes + memory.training_bytes)} while it works`}>
          {bytes(memory.weight_bytes)}
        </Card>
      </div>
      <p class="note">
        At most {count(plan.rounds)} {plan.rounds === 1 ? "round" : "rounds"}; {count(responses.train)} responses to
        train on, {count(responses.gate)} of the gate set, {count(responses.report)} of the report set. Time is a rough
        estimate: {assumed.response_tokens} tokens a response, {duration(assumed.judge_seconds)} a call,{" "}
        {count(assumed.generation_tokens_per_second)} tokens/s written and {count(assumed.training_tokens_per_second)}{" "}
        trained on {assumed.gpu ? "a GPU" : "the processor"}.
      </p>
    </>
  );
}
