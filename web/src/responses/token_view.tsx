// The response with the tokens that CUT found inappropriate highlighted, and every token's numbers as a table.
import { useEffect, useState } from "preact/hooks";
import { useResource } from "../api/resource";
import type { ResponseTokens, TokensPending } from "../api/types";
import { InertText, Said } from "../components/inert_text";
import { decimal } from "../format";
import { ratio, token_runs } from "./tokens";

const kAgainMs = 2000;

function Numbers({ tokens }: { tokens: ResponseTokens }) {
  return (
    <details>
      <summary>Every token's numbers</summary>
      <div class="scroll token-table" tabIndex={0} role="region" aria-label="Tokens">
        <table>
          <thead>
            <tr>
              <th scope="col">token</th>
              <th scope="col">log p</th>
              <th scope="col">with judgment</th>
              <th scope="col">ratio</th>
              <th scope="col">found</th>
            </tr>
          </thead>
          <tbody>
            {tokens.tokens.map((token, i) => (
              <tr key={i}>
                <th scope="row">
                  <code class="token">
                    <InertText text={token.text.replaceAll("\n", "⏎")} />
                  </code>
                </th>
                <td>{decimal(token.logprob, 2)}</td>
                <td>{decimal(token.logprob_with_judgment, 2)}</td>
                <td>{decimal(ratio(token), 2)}</td>
                <td>{token.detected ? "yes" : ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function Highlighted({ tokens }: { tokens: ResponseTokens }) {
  const share = tokens.tokens.length > 0 ? tokens.detected / tokens.tokens.length : 0;
  return (
    <>
      <div class="said" dir="auto">
        {token_runs(tokens.tokens).map((run, i) =>
          run.detected ? (
            <mark
              key={i}
              class="detected"
              title={`p with judgment ÷ p: ${run.tokens.map((token) => decimal(ratio(token), 2)).join(", ")}`}
            >
              <InertText text={run.text} />
            </mark>
          ) : (
            <InertText key={i} text={run.text} />
          ),
        )}
      </div>
      <p class="note legend">
        <mark class="detected">Highlighted</mark>: {tokens.detected} of {tokens.tokens.length} tokens (
        {decimal(100 * share, 1)} %) that the judgment makes likelier by more than {decimal(tokens.threshold, 2)} times;
        they are trained against ({tokens.objective}).
      </p>
      <Numbers tokens={tokens} />
    </>
  );
}

interface Props {
  response: number;
  judgment: number;
  text: string;
  /** Asks without being told to. */
  atOnce: boolean;
}

/** Leaving it ends the asking; what the engine has begun is kept by the daemon for the next reader. */
export function TokenView({ response, judgment, text, atOnce }: Props) {
  const [asked, ask] = useState(atOnce);
  useEffect(() => ask(atOnce), [response, judgment, atOnce]);
  const resource = useResource<ResponseTokens | TokensPending>(
    asked ? `/api/v1/responses/${response}/tokens?judgment=${judgment}` : null,
  );
  const pending = resource.data?.state === "pending" ? resource.data : null;
  useEffect(() => {
    if (pending === null) return;
    const timer = setTimeout(resource.reload, kAgainMs);
    return () => clearTimeout(timer);
  }, [pending]);
  if (resource.data?.state === "ready") return <Highlighted tokens={resource.data} />;
  return (
    <>
      <Said text={text} />
      <div class="note token-ask">
        <span role="status">
          {asked && resource.error === null && pending === null && "The model is being asked for the tokens…"}
          {asked && resource.error === null && pending !== null && <InertText text={`Not yet: ${pending.why}.`} />}
          {resource.error !== null && <InertText text={`The tokens cannot be shown: ${resource.error}`} />}
        </span>
        {!asked && (
          <button class="small" onClick={() => ask(true)}>
            Show the inappropriate tokens
          </button>
        )}
        {asked && pending !== null && resource.error === null && (
          <button class="small" onClick={() => ask(false)}>
            Do not wait
          </button>
        )}
        {resource.error !== null && (
          <button class="small" onClick={resource.reload}>
            Ask again
          </button>
        )}
      </div>
    </>
  );
}
