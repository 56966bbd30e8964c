// What requests to a judging API cost. Pure; money is whole micro-dollars, and prices are dollars per million tokens,
// which is the same as micro-dollars per token.
#pragma once

#include <cstdint>

#include "llm_api/chat.h"

namespace cutd {

struct TokenPrice {
  double input = 0;
  double cached_input = -1;  // read from the provider's cache; negative: as input
  double output = 0;
  bool is_free() const { return input == 0 && output == 0; }
};

// Rounded up: a ledger never says less than was charged. Writing to the cache counts a quarter more than input, as
// Anthropic bills it.
std::int64_t price_of(const TokenPrice& price, const ChatUsage& usage);

// The most that the request can cost: a token is at least one byte of text, plus what the API adds around messages, and
// the reply uses all of max_tokens.
std::int64_t most_cost(const TokenPrice& price, const ChatRequest& request);
std::int64_t most_input_tokens(const ChatRequest& request);

}  // namespace cutd
