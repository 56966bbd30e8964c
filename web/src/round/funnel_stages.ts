// A round's funnel as bars and sentences. Pure.
import type { RoundDetails } from "../api/types";
import type { FunnelStage } from "../charts/funnel";
import { count } from "../format";

function losses(...parts: [number, string][]): string {
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, what]) => `${count(amount)} ${what}`)
    .join(", ");
}

export function funnel_stages({ funnel, finish_reasons }: RoundDetails): FunnelStage[] {
  const waiting = funnel.generated - funnel.judged - funnel.failed;
  const unused = funnel.trained > 0 ? funnel.judged - funnel.trained : 0;
  return [
    { name: "planned", count: funnel.planned, lost: losses([funnel.planned - funnel.generated, "not yet written"]) },
    {
      name: "written",
      count: funnel.generated,
      lost: losses(
        [finish_reasons.length, "broke off at the token limit"],
        [waiting, "wait for a judgment"],
        [funnel.failed, "without a usable judgment"],
      ),
    },
    {
      name: "judged",
      count: funnel.judged,
      lost: losses([funnel.positives, "perfect"], [funnel.negatives, "criticised"], [unused, "left out by sampling"]),
    },
    { name: "trained on", count: funnel.trained },
  ];
}
