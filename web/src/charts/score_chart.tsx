// The score of each round with its interval; rejected rounds are hollow, the untrained model is the dashed line.
import { interval, percent, type Range } from "../format";
import { Chart, Grid, PlaceLabel } from "./frame";
import { axis_ticks, kCanvas, labelled, x_place, y_scale } from "./scale";

export interface ScorePoint {
  name: string;
  /** Below the axis. */
  place: string;
  kind: "untrained" | "promoted" | "rejected" | "open";
  score: number;
  interval: Range;
  count: number;
}

function Mark({ point, x, y }: { point: ScorePoint; x: number; y: (value: number) => number }) {
  const low = y(point.interval[0]);
  const high = y(point.interval[1]);
  const whisker = `M${x} ${low}V${high}M${x - 6} ${low}h12M${x - 6} ${high}h12`;
  return (
    <g class={point.kind}>
      <title>{`${point.name}: ${percent(point.score)} (95 % interval ${interval(point.interval)})`}</title>
      <path class="whisker" d={whisker} />
      <circle class={`mark${point.kind === "rejected" ? " hollow" : ""}`} cx={x} cy={y(point.score)} r={5} />
      <text class="value" x={x + 10} y={y(point.score) + (point.kind === "untrained" ? -6 : 4)}>
        {(100 * point.score).toFixed(1)}
      </text>
    </g>
  );
}

export function ScoreChart({ points, title, caption }: { points: ScorePoint[]; title: string; caption: string }) {
  const low = Math.min(...points.map((point) => point.interval[0]));
  const high = Math.max(...points.map((point) => point.interval[1]));
  const ticks = axis_ticks(low, high).filter((tick) => tick >= -1e-9 && tick <= 1 + 1e-9);
  const y = y_scale(ticks);
  const untrained = points.find((point) => point.kind === "untrained");
  const last = points[points.length - 1];
  return (
    <Chart
      title={title}
      caption={caption}
      description={`${title}: ${points.map((point) => `${point.name} ${percent(point.score)}`).join(", ")}.`}
      table={{
        head: ["round", "score", "95 % interval", "instructions", "outcome"],
        rows: points.map((point) => [
          point.name,
          percent(point.score),
          interval(point.interval),
          String(point.count),
          point.kind === "open" ? "open" : point.kind,
        ]),
      }}
    >
      <Grid ticks={ticks} label={(tick) => percent(tick, 0)} />
      {untrained && points.length > 1 && last && (
        <line
          class="reference"
          x1={kCanvas.left}
          x2={kCanvas.width - kCanvas.right}
          y1={y(untrained.score)}
          y2={y(untrained.score)}
        />
      )}
      {points.map((point, i) => (
        <Mark key={point.name} point={point} x={x_place(i, points.length)} y={y} />
      ))}
      {points.map((point, i) =>
        labelled(i, points.length) ? <PlaceLabel key={i} x={x_place(i, points.length)} text={point.place} /> : null,
      )}
    </Chart>
  );
}
