import { describe, expect, it } from "vitest";
import { visible_pieces } from "../../../web/src/visible_text";

describe("visible_pieces", () => {
  it("leaves ordinary text in one piece, in any script", () => {
    for (const text of ["plain", "two\nlines\tand a tab", "צבר עברית", "日本語 👍🏽", "👩‍👩‍👧", "<b>not bold</b>"]) {
      expect(visible_pieces(text)).toEqual([{ text }]);
    }
    expect(visible_pieces("")).toEqual([]);
  });
  it("names what reorders or hides text", () => {
    expect(visible_pieces("a\u202eb")).toEqual([
      { text: "a" },
      { text: "U+202E", name: "right-to-left override" },
      { text: "b" },
    ]);
    expect(visible_pieces("\u200b")).toEqual([{ text: "U+200B", name: "zero-width space" }]);
    expect(visible_pieces("\u0000\u0007")).toEqual([
      { text: "U+0000", name: "control character" },
      { text: "U+0007", name: "control character" },
    ]);
  });
  it("shows ASCII smuggled in tag characters", () => {
    expect(visible_pieces("ok\u{e0061}")).toEqual([{ text: "ok" }, { text: "U+E0061", name: "tag character" }]);
  });
  it("loses no character", () => {
    const text = "x\u2066y\u2069z\ufeff";
    const back = visible_pieces(text).map((piece) =>
      piece.name ? String.fromCodePoint(Number.parseInt(piece.text.slice(2), 16)) : piece.text,
    );
    expect(back.join("")).toBe(text);
  });
});
