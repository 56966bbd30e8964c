// The guidelines panel: beside the item on a wide screen, below it on a phone.
import type { GuidelineText } from "../api/types";
import { InertText } from "../components/inert_text";
import { type Block, blocks_of, type Span } from "./markdown";

function Spans({ spans }: { spans: Span[] }) {
  return (
    <>
      {spans.map((span, i) => {
        const text = <InertText text={span.text} />;
        if (span.kind === "strong") return <strong key={i}>{text}</strong>;
        return span.kind === "code" ? <code key={i}>{text}</code> : <span key={i}>{text}</span>;
      })}
    </>
  );
}

function BlockView({ block }: { block: Block }) {
  if (block.kind === "paragraph")
    return (
      <p>
        <Spans spans={block.spans} />
      </p>
    );
  if (block.kind === "heading")
    return (
      <h3>
        <Spans spans={block.spans} />
      </h3>
    );
  const items = block.items.map((item, i) => (
    <li key={i}>
      <Spans spans={item} />
    </li>
  ));
  return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
}

export function GuidelinesText({ guideline }: { guideline: GuidelineText | undefined }) {
  if (guideline === undefined || guideline.text.trim() === "") {
    return <p class="soft">The operator has written no guidelines for this item.</p>;
  }
  return (
    <div class="guideline-text" dir="auto">
      {blocks_of(guideline.text).map((block, i) => (
        <BlockView key={i} block={block} />
      ))}
    </div>
  );
}

interface Props {
  guideline: GuidelineText | undefined;
  open: boolean;
  onToggle: () => void;
}

export function GuidelinesPanel({ guideline, open, onToggle }: Props) {
  return (
    <aside class="panel guidelines" aria-labelledby="guidelines-title">
      <header>
        <h2 id="guidelines-title">Guidelines</h2>
        <button class="plain small" aria-expanded={open} aria-controls="guidelines-body" onClick={onToggle}>
          {open ? "Hide" : "Show"} <kbd>g</kbd>
        </button>
      </header>
      <div id="guidelines-body" hidden={!open}>
        <GuidelinesText guideline={guideline} />
      </div>
    </aside>
  );
}
