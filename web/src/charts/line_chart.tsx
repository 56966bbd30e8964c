// One value per step: training loss, share of detected tokens, spend per day.
import { Chart, Grid, PlaceLabel } from "./frame";
import { axis_ticks, labelled, line_path, x_place, y_scale } from "./scale";

interface Props {
  title: string;
  caption: string;
  /** Of the places on the axis, one for each value. */
  places: string[];
  placeName: string;
  values: (number | null)[];
  valueName: string;
  format: (value: number) => string;
  tick?: (value: number) => string;
}

const kMostDots = 60; // more would hide the line

export function LineChart({ title, caption, places, placeName, values, valueName, format, tick }: Props) {
  const there = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (there.length === 0) return null;
  const ticks = axis_ticks(Math.min(0, ...there), Math.max(...there, 1e-6));
  const y = y_scale(ticks);
  const x = (i: number) => x_place(i, values.length);
  const first = there[0] as number;
  const last = there[there.length - 1] as number;
  return (
    <Chart
      title={title}
      caption={caption}
      description={`${title}: from ${format(first)} to ${format(last)} over ${there.length} points.`}
      table={{
        head: [placeName, valueName],
        rows: values.map((value, i) => [places[i] ?? "", value === null ? "–" : format(value)]),
      }}
    >
      <Grid ticks={ticks} label={tick ?? format} />
      <path class="line" d={line_path(values, x, y)} />
      {values.length <= kMostDots &&
        values.map((value, i) =>
          value === null ? null : (
            <circle key={i} class="dot" cx={x(i)} cy={y(value)} r={values.length > 30 ? 1.8 : 2.6}>
              <title>{`${places[i] ?? ""}: ${format(value)}`}</title>
            </circle>
          ),
        )}
      {places.map((place, i) => (labelled(i, places.length, 6) ? <PlaceLabel key={i} x={x(i)} text={place} /> : null))}
    </Chart>
  );
}
