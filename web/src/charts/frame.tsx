// What all charts share: the figure with its title and caption, the grid, and the same numbers as a table.
import type { ComponentChildren } from "preact";
import { kCanvas, y_scale } from "./scale";

export interface ChartTable {
  head: string[];
  rows: string[][];
}

interface FigureProps {
  title: string;
  caption: string;
  /** For those who do not see the drawing: what it shows, in a sentence. */
  description: string;
  table: ChartTable;
  children: ComponentChildren;
}

export function Chart({ title, caption, description, table, children }: FigureProps) {
  return (
    <figure>
      <h3>{title}</h3>
      <svg class="chart" viewBox={`0 0 ${kCanvas.width} ${kCanvas.height}`} role="img" aria-label={description}>
        {children}
      </svg>
      <figcaption>{caption}</figcaption>
      <NumbersTable title={title} table={table} />
    </figure>
  );
}

export function NumbersTable({ title, table }: { title: string; table: ChartTable }) {
  return (
    <details>
      <summary>Show as a table</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
        <table>
          <caption class="hidden-visually">{title}</caption>
          <thead>
            <tr>
              {table.head.map((cell) => (
                <th scope="col" key={cell}>
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) =>
                  j === 0 ? (
                    <th scope="row" key={j}>
                      {cell}
                    </th>
                  ) : (
                    <td key={j}>{cell}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

export function Grid({ ticks, label }: { ticks: number[]; label: (value: number) => string }) {
  const y = y_scale(ticks);
  return (
    <g>
      {ticks.map((tick) => (
        <g key={tick}>
          <line class="grid" x1={kCanvas.left} x2={kCanvas.width - kCanvas.right} y1={y(tick)} y2={y(tick)} />
          <text x={kCanvas.left - 7} y={y(tick) + 4} text-anchor="end">
            {label(tick)}
          </text>
        </g>
      ))}
    </g>
  );
}

export function PlaceLabel({ x, text }: { x: number; text: string }) {
  return (
    <text x={x} y={kCanvas.height - 12} text-anchor="middle">
      {text}
    </text>
  );
}
