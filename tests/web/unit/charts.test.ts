import { describe, expect, it } from "vitest";
import { bin_shares } from "../../../web/src/charts/bins";
import { axis_ticks, kCanvas, labelled, line_path, x_place, y_scale } from "../../../web/src/charts/scale";

describe("axis_ticks", () => {
  it("takes round values around the range", () => {
    expect(axis_ticks(0.22, 0.71)).toEqual([0.2, 0.4, 0.6, 0.8]);
    expect(axis_ticks(0, 1)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(axis_ticks(0, 0.131)).toEqual([0, 0.05, 0.1, 0.15]);
  });
  it("always gives an axis, even for one value", () => {
    for (const value of [0, 0.5, 3, 1e-6, 1e9]) {
      const ticks = axis_ticks(value, value);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks[0] as number).toBeLessThanOrEqual(value);
      expect(ticks[ticks.length - 1] as number).toBeGreaterThanOrEqual(value);
    }
  });
});

describe("places", () => {
  it("stay on the canvas", () => {
    const y = y_scale([0, 0.5, 1]);
    expect(y(1)).toBe(kCanvas.top);
    expect(y(0)).toBe(kCanvas.height - kCanvas.bottom);
    for (const places of [1, 5, 200]) {
      expect(x_place(0, places)).toBeGreaterThan(kCanvas.left);
      expect(x_place(places - 1, places)).toBeLessThan(kCanvas.width - kCanvas.right);
    }
  });
  it("are labelled apart, the last always", () => {
    const shown = Array.from({ length: 24 }, (_, i) => i).filter((i) => labelled(i, 24, 6));
    expect(shown).toEqual([0, 4, 8, 12, 16, 23]);
  });
});

describe("line_path", () => {
  it("breaks where a value is missing", () => {
    const path = line_path(
      [1, 2, null, 4],
      (i) => i,
      (v) => v,
    );
    expect(path).toBe("M0.0 1.0L1.0 2.0M3.0 4.0");
  });
});

describe("bin_shares", () => {
  it("puts two histograms on one axis", () => {
    const rows = bin_shares(
      [
        { from: 0, to: 9, count: 1 },
        { from: 10, to: 19, count: 3 },
      ],
      [
        { from: 10, to: 19, count: 1 },
        { from: 20, to: 29, count: 1 },
      ],
    );
    expect(rows.map(({ from, share, before }) => [from, share, before])).toEqual([
      [0, 0.25, 0],
      [10, 0.75, 0.5],
      [20, 0, 0.5],
    ]);
  });
  it("knows no former round when there is none", () => {
    expect(bin_shares([{ from: 0, to: 9, count: 2 }], [])[0]?.before).toBeNull();
  });
});
