// The only way text of models, annotators and files reaches a page: text nodes, with surprising characters shown.
import { visible_pieces } from "../visible_text";

export function InertText({ text }: { text: string }) {
  return (
    <>
      {visible_pieces(text).map((piece, i) =>
        piece.name === undefined ? (
          piece.text
        ) : (
          <span key={i} class="mark-character" title={piece.name}>
            {piece.text}
            <span class="hidden-visually">{` (${piece.name})`}</span>
          </span>
        ),
      )}
    </>
  );
}

/** A block of such text; its direction follows its own letters. */
export function Said({ text, soft = false }: { text: string; soft?: boolean }) {
  return (
    <div class={soft ? "said soft" : "said"} dir="auto">
      <InertText text={text} />
    </div>
  );
}
