// The mock's engine: which tokens of a response its judgment makes likelier.
import type { ResponseTokens } from "../src/api/types";

export function tokens_of(response: number, text: string, judgment_text: string): ResponseTokens {
  const parts = text.match(/\s*[^\s]+|\s+$/g) ?? [];
  const wrong = ["As", "a", "language", "model", "I", "cannot", "see", "the", "sky,"];
  const start = parts.findIndex((_part, i) => wrong.every((word, j) => parts[i + j]?.trim() === word));
  const tokens = parts.map((part, i) => {
    const detected = start >= 0 ? i >= start && i < start + wrong.length : i % 7 === 5;
    const logprob = -0.2 - ((i * 37) % 23) / 10;
    return {
      id: 100 + i,
      text: part,
      logprob,
      logprob_with_judgment: logprob + (detected ? 0.6 + (i % 3) / 3 : -0.15),
      detected,
    };
  });
  return {
    state: "ready",
    response,
    judgment: 1,
    judgment_text,
    threshold: 1.1,
    objective: "cut",
    detected: tokens.filter((token) => token.detected).length,
    tokens,
  };
}
