// Axes of the charts. Pure, and the same as the report's (src/round/report_plots.cc).

/** A chart is drawn on this canvas and scaled to its box; the numbers keep its text readable on a phone. */
export const kCanvas = { width: 440, height: 250, left: 54, right: 14, top: 20, bottom: 34 } as const;

/** At most `most` + 1 round values from at or below `low` to at or above `high`. */
export function axis_ticks(low: number, high: number, most = 4): number[] {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks: number[] = [];
  for (let i = first; i <= last; ++i) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

/** Where a value stands, in pixels from the top. */
export function y_scale(ticks: readonly number[]): (value: number) => number {
  const low = ticks[0] ?? 0;
  const high = ticks[ticks.length - 1] ?? 1;
  const room = kCanvas.height - kCanvas.bottom - kCanvas.top;
  return (value) => kCanvas.height - kCanvas.bottom - ((value - low) / (high - low || 1)) * room;
}

/** The middle of place `index` of `places`. */
export function x_place(index: number, places: number): number {
  return kCanvas.left + ((kCanvas.width - kCanvas.right - kCanvas.left) * (index + 0.5)) / places;
}

/** A path through what is there, broken where a value is missing. */
export function line_path(
  values: readonly (number | null)[],
  x: (i: number) => number,
  y: (v: number) => number,
): string {
  let path = "";
  let pen_down = false;
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      pen_down = false;
      return;
    }
    path += `${pen_down ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen_down = true;
  });
  return path;
}

/** Which of `places` labels fit below the axis: every n-th, the last always. */
export function labelled(index: number, places: number, most = 8): boolean {
  const every = Math.ceil(places / most);
  return index === places - 1 || (index % every === 0 && index + every <= places - 1);
}
