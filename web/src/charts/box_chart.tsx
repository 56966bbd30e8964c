// Quartiles per model: the box is the middle half, the thick line the median, the whiskers 5 % and 95 %.
import { Chart, Grid, PlaceLabel } from "./frame";
import { axis_ticks, kCanvas, labelled, x_place, y_scale } from "./scale";

export interface BoxRow {
  name: string;
  /** 5 %, 25 %, 50 %, 75 %, 95 %. */
  quantiles: readonly [number, number, number, number, number];
}

interface Props {
  title: string;
  caption: string;
  unit: string;
  rows: BoxRow[];
  /** Shaded: what is allowed. */
  band?: readonly [number, number] | null;
}

function Box({ row, x, y }: { row: BoxRow; x: number; y: (value: number) => number }) {
  const [p5, p25, p50, p75, p95] = row.quantiles;
  const half = 22;
  return (
    <g>
      <title>{`${row.name}: median ${p50}, middle half ${p25} to ${p75}`}</title>
      <path class="whisker" d={`M${x} ${y(p5)}V${y(p25)}M${x} ${y(p75)}V${y(p95)}`} />
      <rect class="box" x={x - half} width={2 * half} y={y(p75)} height={Math.max(1, y(p25) - y(p75))} rx={3} />
      <line class="median" x1={x - half} x2={x + half} y1={y(p50)} y2={y(p50)} />
    </g>
  );
}

export function BoxChart({ title, caption, unit, rows, band }: Props) {
  if (rows.length === 0) return null;
  const high = Math.max(...rows.map((row) => row.quantiles[4]), band && band[1] < 1e6 ? band[1] : 0);
  const ticks = axis_ticks(0, high);
  const y = y_scale(ticks);
  const top = ticks[ticks.length - 1] as number;
  return (
    <Chart
      title={title}
      caption={caption}
      description={`${title}: median ${rows.map((row) => `${row.name} ${row.quantiles[2]}`).join(", ")} ${unit}.`}
      table={{
        head: ["model", "5 %", "25 %", "median", "75 %", "95 %"],
        rows: rows.map((row) => [row.name, ...row.quantiles.map((value) => String(value))]),
      }}
    >
      {band && (
        <rect
          class="band"
          x={kCanvas.left}
          width={kCanvas.width - kCanvas.right - kCanvas.left}
          y={y(Math.min(band[1], top))}
          height={y(band[0]) - y(Math.min(band[1], top))}
        />
      )}
      <Grid ticks={ticks} label={(tick) => String(tick)} />
      {rows.map((row, i) => (
        <Box key={row.name} row={row} x={x_place(i, rows.length)} y={y} />
      ))}
      {rows.map((row, i) =>
        labelled(i, rows.length, 6) ? <PlaceLabel key={i} x={x_place(i, rows.length)} text={row.name} /> : null,
      )}
    </Chart>
  );
}
