// Text of models, annotators and files as pieces that can be shown without surprises: characters that would
// not be seen, or would reorder what is (bidirectional controls, zero-width and control characters), become
// named marks. Pure. Everything is rendered as text nodes; nothing here makes markup.

export interface Piece {
  text: string;
  /** Set for a mark: what the character is called. */
  name?: string;
}

const kNames = new Map<number, string>([
  [0x00ad, "soft hyphen"],
  [0x034f, "combining grapheme joiner"],
  [0x061c, "Arabic letter mark"],
  [0x180e, "Mongolian vowel separator"],
  [0x200b, "zero-width space"],
  [0x200c, "zero-width non-joiner"],
  [0x200d, "zero-width joiner"],
  [0x200e, "left-to-right mark"],
  [0x200f, "right-to-left mark"],
  [0x2028, "line separator"],
  [0x2029, "paragraph separator"],
  [0x202a, "left-to-right embedding"],
  [0x202b, "right-to-left embedding"],
  [0x202c, "pop directional formatting"],
  [0x202d, "left-to-right override"],
  [0x202e, "right-to-left override"],
  [0x2060, "word joiner"],
  [0x2061, "function application"],
  [0x2062, "invisible times"],
  [0x2063, "invisible separator"],
  [0x2064, "invisible plus"],
  [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"],
  [0x2068, "first strong isolate"],
  [0x2069, "pop directional isolate"],
  [0xfeff, "byte order mark"],
  [0xfff9, "interlinear annotation anchor"],
  [0xfffa, "interlinear annotation separator"],
  [0xfffb, "interlinear annotation terminator"],
]);

function mark_name(code: number): string | undefined {
  if (code === 0x09 || code === 0x0a || code === 0x0d) return undefined;
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return "control character";
  if (code >= 0xe0000 && code <= 0xe007f) return "tag character"; // invisible copies of ASCII
  if (code >= 0xd800 && code <= 0xdfff) return "lone surrogate";
  return kNames.get(code);
}

// Emoji are written with joiners between pictographs; those are no surprise.
const kJoinsPictographs = /^\p{Extended_Pictographic}/u;
const kZeroWidthJoiner = 0x200d;

export function visible_pieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = "";
  const characters = Array.from(text);
  for (let i = 0; i < characters.length; ++i) {
    const character = characters[i] as string;
    const code = character.codePointAt(0) as number;
    const name = mark_name(code);
    const joins = code === kZeroWidthJoiner && kJoinsPictographs.test(characters[i + 1] ?? "");
    if (name === undefined || joins) {
      plain += character;
      continue;
    }
    if (plain !== "") pieces.push({ text: plain });
    plain = "";
    pieces.push({ text: `U+${code.toString(16).toUpperCase().padStart(4, "0")}`, name });
  }
  if (plain !== "") pieces.push({ text: plain });
  return pieces;
}
