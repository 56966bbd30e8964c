// What a promoted model must keep: each guard's value and the band it must lie in.
import type { Guard } from "../api/types";
import { Pill } from "../components/pieces";
import { decimal, words } from "../format";

const kUnbounded = 1e6;

function band({ low, high }: Guard): string {
  if (high >= kUnbounded) return `at least ${decimal(low, 2)}`;
  if (low <= -kUnbounded) return `at most ${decimal(high, 2)}`;
  return `${decimal(low, 2)} to ${decimal(high, 2)}`;
}

export function GuardsTable({ guards }: { guards: Guard[] }) {
  return (
    <table>
      <caption class="hidden-visually">Guards</caption>
      <thead>
        <tr>
          <th scope="col">guard</th>
          <th scope="col">value</th>
          <th scope="col">allowed</th>
          <th scope="col">verdict</th>
        </tr>
      </thead>
      <tbody>
        {guards.map((guard) => (
          <tr key={guard.name}>
            <th scope="row">{words(guard.name)}</th>
            <td>{decimal(guard.value, 2)}</td>
            <td>{band(guard)}</td>
            <td>
              <Pill name={guard.within ? "verified" : "failed"} text={guard.within ? "within" : "outside"} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
