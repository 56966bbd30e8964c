// Tokens of a response as runs of equal kind, so that neighbours share one highlight. Pure.
import type { Token } from "../api/types";

export interface TokenRun {
  detected: boolean;
  text: string;
  tokens: Token[];
}

export function token_runs(tokens: Token[]): TokenRun[] {
  const runs: TokenRun[] = [];
  for (const token of tokens) {
    const last = runs[runs.length - 1];
    if (last && last.detected === token.detected) {
      last.text += token.text;
      last.tokens.push(token);
    } else {
      runs.push({ detected: token.detected, text: token.text, tokens: [token] });
    }
  }
  return runs;
}

/** p(with the judgment) / p(without): above the threshold the token is inappropriate. */
export function ratio(token: Token): number {
  return Math.exp(token.logprob_with_judgment - token.logprob);
}
