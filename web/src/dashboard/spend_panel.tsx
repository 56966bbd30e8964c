// What paid judging cost: each cap that can still stop something as a bar, and what the run's rounds cost.
import type { Balance, LedgerPage } from "../api/types";
import { InertText } from "../components/inert_text";
import { Bar } from "../components/pieces";
import { dollars } from "../format";
import { open_balances, scope_text, type Spent, spent_on_evaluations } from "./spend";

function BalanceRow({ balance }: { balance: Balance }) {
  const { annotator, cap, spent, reserved } = balance;
  return (
    <div class="balance">
      <div class="row">
        <span>
          <b>
            <InertText text={annotator} />
          </b>{" "}
          <InertText text={scope_text(balance)} />
        </span>
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
          label={`${annotator}, ${scope_text(balance)}, part of the cap`}
          tone={spent + reserved > 0.9 * cap ? "warn" : ""}
        />
      )}
    </div>
  );
}

function RoundsSpend({ ledger }: { ledger: LedgerPage }) {
  const rest = spent_on_evaluations(ledger);
  const row = (name: string, { spent, reserved }: Spent) => (
    <tr key={name}>
      <th scope="row">{name}</th>
      <td>{dollars(spent)}</td>
      <td>{dollars(reserved)}</td>
    </tr>
  );
  return (
    <table class="compact">
      <thead>
        <tr>
          <th scope="col">this run</th>
          <th scope="col">spent</th>
          <th scope="col">reserved</th>
        </tr>
      </thead>
      <tbody>
        {ledger.rounds.map((round) => row(`round ${round.number}`, round))}
        {rest.spent + rest.reserved > 0 && row("evaluations", rest)}
        {ledger.run && row("together", ledger.run)}
      </tbody>
    </table>
  );
}

export function SpendPanel({ ledger }: { ledger: LedgerPage }) {
  return (
    <section class="panel" aria-labelledby="spend-title">
      <header>
        <h2 id="spend-title">Spend</h2>
      </header>
      {ledger.balances.length === 0 && (
        <p class="note">No paid annotator has been asked. Rule annotators and people cost nothing here.</p>
      )}
      {open_balances(ledger).map((balance) => (
        <BalanceRow key={`${balance.annotator} ${balance.scope}`} balance={balance} />
      ))}
      {(ledger.rounds.length > 0 || (ledger.run?.spent ?? 0) > 0) && <RoundsSpend ledger={ledger} />}
    </section>
  );
}
