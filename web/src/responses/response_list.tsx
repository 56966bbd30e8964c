// The list beside the detail: one line of instruction, the beginning of the response, its verdicts.
import { Component } from "preact";
import { with_query } from "../api/client";
import type { JudgmentBrief, ResponseRow } from "../api/types";
import { InertText } from "../components/inert_text";
import { Pill } from "../components/pieces";
import type { Filters } from "./filters";

const kBeginning = 160; // characters of a response in the list

export function verdict_of(judgment: JudgmentBrief): { name: string; text: string } {
  if (judgment.state === "pending") return { name: "pending", text: "waiting" };
  if (judgment.state === "failed") return { name: "failed", text: "failed" };
  return judgment.label === "positive"
    ? { name: "perfect", text: "perfect" }
    : { name: "criticised", text: "criticised" };
}

interface RowProps {
  response: ResponseRow;
  chosen: boolean;
  href: string;
}

/** Drawn again only when what it shows is another: of a list of thousands a choice changes two. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { response, chosen, href } = this.props;
    return next.response !== response || next.chosen !== chosen || next.href !== href;
  }

  override render({ response, chosen, href }: RowProps) {
    return (
      <li>
        <a href={href} aria-current={chosen ? "true" : undefined}>
          <span class="asked" dir="auto">
            <InertText text={response.instruction.text.slice(0, kBeginning)} />
          </span>
          <span class="answered" dir="auto">
            <InertText text={response.text.slice(0, kBeginning)} />
          </span>
          <span class="meta">
            {response.judgments.map((judgment) => {
              const { name, text } = verdict_of(judgment);
              return <Pill key={judgment.id} name={name} text={text} />;
            })}
            <span class="soft">
              #{response.id} ·{" "}
              {response.split === "train" ? `round ${response.round_number ?? "?"}` : `${response.split} set`}
            </span>
          </span>
        </a>
      </li>
    );
  }
}

interface Props {
  responses: ResponseRow[];
  chosen: number | null;
  filters: Filters;
}

export function ResponseList({ responses, chosen, filters }: Props) {
  return (
    <ul class="response-list">
      {responses.map((response) => (
        <Row
          key={response.id}
          response={response}
          chosen={response.id === chosen}
          href={with_query(`/responses/${response.id}`, filters)}
        />
      ))}
    </ul>
  );
}
