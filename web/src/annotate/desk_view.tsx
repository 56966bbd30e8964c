// The view Pending: the item on the desk, or why there is none.
import type { RefObject } from "preact";
import type { Claim } from "../api/types";
import { Empty, Failure, Loading } from "../components/pieces";
import { Editor } from "./editor";
import { ItemView } from "./item_view";
import type { DeskInUse } from "./use_desk";

const kNothing: Record<NonNullable<Claim["why"]>, [string, string]> = {
  empty: [
    "Nothing waits for you",
    "Every item is done, in others' hands, or one you have had. New ones come with the next round.",
  ],
  cap: ["You have enough in work", "Finish or submit one of your drafts first; then there is a new item."],
  cooling_down: ["A short pause", "You gave an item back a moment ago. Try again in a minute."],
  blocked: [
    "You are not given items at present",
    "The operator has to look at your recent answers. Please get in touch.",
  ],
  closed: ["The rounds are closed", "No round takes judgments now. Thank you for yours."],
};

interface Props {
  inUse: DeskInUse;
  text: RefObject<HTMLTextAreaElement>;
  onSkip: () => void;
}

export function DeskView({ inUse: { desk, state, now }, text, onSkip }: Props) {
  if (state.kind === "claiming") return <Loading what="an item" />;
  if (state.kind === "failed") return <Failure text={state.why} again={() => void desk.claim()} />;
  if (state.kind === "nothing") {
    const [title, why] = kNothing[state.why];
    return (
      <Empty title={title}>
        <p>{why}</p>
        <button onClick={() => void desk.claim()}>Look again</button>
      </Empty>
    );
  }
  const { work } = state;
  return (
    <div class="desk" key={work.task.item}>
      <div class="items">
        <ItemView instruction={work.task.instruction} response={work.task.response} />
      </div>
      <Editor
        work={work}
        now={now}
        text={text}
        onWrite={(written) => desk.write(written)}
        onSubmit={() => void desk.submit()}
        onSkip={onSkip}
        onAnother={() => void desk.another()}
        onRelease={() => void desk.release()}
      />
    </div>
  );
}
