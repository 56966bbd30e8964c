// What paid judging cost: each cap as a bar, and each round's share.
import type { LedgerPage, RunSummary } from "../api/types";
import { InertText } from "../components/inert_text";
import { Bar } from "../components/pieces";
import { dollars } from "../format";
import { spend_by_round } from "./spend";

export function SpendPanel({ ledger, summary }: { ledger: LedgerPage; summary: RunSummary | null }) {
  const rounds = spend_by_round(ledger.entries);
  const number_of = new Map(summary?.rounds.map((round) => [round.id, round.number]));
  return (
    <section class="panel" aria-labelledby="spend-title">
      <header>
        <h2 id="spend-title">Spend</h2>
      </header>
      {ledger.balances.length === 0 && (
        <p class="note">No paid annotator has been asked. Rule annotators and people cost nothing here.</p>
      )}
      {ledger.balances.map(({ scope, cap, spent, reserved }) => (
        <div key={scope} class="balance">
          <div class="row">
            <b>
              <InertText text={scope} />
            </b>
            <span>
              {dollars(spent)}
              <span class="soft">
                {reserved > 0 ? ` + ${dollars(reserved)} reserved` : ""}
                {cap === null ? " (no cap)" : ` of ${dollars(cap)}`}
              </span>
            </span>
          </div>
          {cap !== null && cap > 0 && (
            <Bar
              share={(spent + reserved) / cap}
              label={`${scope}, part of the cap`}
              tone={spent + reserved > 0.9 * cap ? "warn" : ""}
            />
          )}
        </div>
      ))}
      {rounds.length > 0 && (
        <table class="compact">
          <thead>
            <tr>
              <th scope="col">round</th>
              <th scope="col">settled</th>
              <th scope="col">requests</th>
            </tr>
          </thead>
          <tbody>
            {rounds.map((row) => (
              <tr key={String(row.round)}>
                <th scope="row">
                  {row.round === null ? "outside a round" : `round ${number_of.get(row.round) ?? `#${row.round}`}`}
                </th>
                <td>{dollars(row.settled)}</td>
                <td>{row.requests}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {ledger.next !== null && (
        <p class="note">Of the latest {ledger.entries.length} movements; the ledger has more.</p>
      )}
    </section>
  );
}
