// Guidelines are Markdown written by the operator. This reads the part people use (headings, lists, paragraphs, bold,
// code) into plain blocks that are drawn as text nodes; everything else, links and markup included, stays text. Pure.

export interface Span {
  kind: "text" | "strong" | "code";
  text: string;
}

export type Block =
  | { kind: "heading"; level: number; spans: Span[] }
  | { kind: "paragraph"; spans: Span[] }
  | { kind: "list"; ordered: boolean; items: Span[][] };

export function spans_of(text: string): Span[] {
  const spans: Span[] = [];
  const pattern = /\*\*([^*]+)\*\*|`([^`]+)`/g;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) spans.push({ kind: "text", text: text.slice(end, match.index) });
    if (match[1] !== undefined) spans.push({ kind: "strong", text: match[1] });
    else spans.push({ kind: "code", text: match[2] ?? "" });
    end = match.index + match[0].length;
  }
  if (end < text.length) spans.push({ kind: "text", text: text.slice(end) });
  return spans;
}

export function blocks_of(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = []; // of the open paragraph
  const close = () => {
    if (lines.length > 0) blocks.push({ kind: "paragraph", spans: spans_of(lines.join(" ")) });
    lines = [];
  };
  for (const line of text.split(/\r?\n/)) {
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    const item = /^\s*(?:([-*+])|\d+[.)])\s+(.*)$/.exec(line);
    if (line.trim() === "") {
      close();
    } else if (heading) {
      close();
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, spans: spans_of(heading[2] ?? "") });
    } else if (item) {
      close();
      const ordered = item[1] === undefined;
      const last = blocks[blocks.length - 1];
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(spans_of(item[2] ?? ""));
      else blocks.push({ kind: "list", ordered, items: [spans_of(item[2] ?? "")] });
    } else {
      lines.push(line.trim());
    }
  }
  close();
  return blocks;
}
