// How long the responses are: bars of this round, and the outline of the one before it.
import type { Bin } from "../api/types";
import { Chart, Grid, PlaceLabel } from "./frame";
import { bin_shares } from "./bins";
import { axis_ticks, kCanvas, labelled, x_place, y_scale } from "./scale";
import { percent } from "../format";

interface Props {
  title: string;
  caption: string;
  bins: Bin[];
  /** Dashed outline; may be empty. */
  before: Bin[];
}

export function Histogram({ title, caption, bins, before }: Props) {
  const rows = bin_shares(bins, before);
  if (rows.length === 0) return null;
  const ticks = axis_ticks(0, Math.max(...rows.map((row) => Math.max(row.share, row.before ?? 0))));
  const y = y_scale(ticks);
  const width = (kCanvas.width - kCanvas.right - kCanvas.left) / rows.length;
  const outline = rows
    .map((row, i) => {
      const left = kCanvas.left + i * width;
      return `${i === 0 ? "M" : "L"}${left.toFixed(1)} ${y(row.before ?? 0).toFixed(1)}h${width.toFixed(1)}`;
    })
    .join("");
  return (
    <Chart
      title={title}
      caption={caption}
      description={`${title}: ${rows.map((row) => `${row.from} to ${row.to} words ${percent(row.share, 0)}`).join(", ")}.`}
      table={{
        head: ["words", "responses", "share", "round before"],
        rows: rows.map((row) => [
          `${row.from} to ${row.to}`,
          String(row.count),
          percent(row.share),
          percent(row.before),
        ]),
      }}
    >
      <Grid ticks={ticks} label={(tick) => percent(tick, 0)} />
      {rows.map((row, i) => (
        <rect
          key={row.from}
          class="bar-fill"
          x={kCanvas.left + i * width + 1}
          width={Math.max(1, width - 2)}
          y={y(row.share)}
          height={y(0) - y(row.share)}
          rx={2}
        >
          <title>{`${row.from} to ${row.to} words: ${row.count}`}</title>
        </rect>
      ))}
      {before.length > 0 && <path class="reference outline" d={outline} />}
      {rows.map((row, i) =>
        labelled(i, rows.length, 7) ? (
          <PlaceLabel key={row.from} x={x_place(i, rows.length)} text={String(row.from)} />
        ) : null,
      )}
    </Chart>
  );
}
