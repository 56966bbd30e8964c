#include "judge_client/price.h"

#include <algorithm>
#include <cmath>

namespace cutd {
namespace {

constexpr double kCacheWriteFactor = 1.25;
constexpr std::int64_t kTokensAround = 64;  // roles and markers of a message; the schema's instructions

double cached_price(const TokenPrice& price) { return price.cached_input < 0 ? price.input : price.cached_input; }

std::int64_t rounded_up(double micros) { return static_cast<std::int64_t>(std::ceil(micros - 1e-9)); }

}  // namespace

std::int64_t price_of(const TokenPrice& price, const ChatUsage& usage) {
  const std::int64_t plain =
      std::max<std::int64_t>(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0);
  return rounded_up(static_cast<double>(plain) * price.input +
                    static_cast<double>(usage.cached_tokens) * cached_price(price) +
                    static_cast<double>(usage.cache_write_tokens) * price.input * kCacheWriteFactor +
                    static_cast<double>(usage.output_tokens) * price.output);
}

std::int64_t most_input_tokens(const ChatRequest& request) {
  std::int64_t tokens = kTokensAround;
  for (const ChatMessage& message : request.messages) {
    tokens += static_cast<std::int64_t>(message.content.size()) + kTokensAround;
  }
  if (!request.schema.is_null()) tokens += static_cast<std::int64_t>(request.schema.dump().size()) + kTokensAround;
  return tokens;
}

std::int64_t most_cost(const TokenPrice& price, const ChatRequest& request) {
  const double input = std::max(price.input * kCacheWriteFactor, cached_price(price));
  return rounded_up(static_cast<double>(most_input_tokens(request)) * input +
                    static_cast<double>(request.max_tokens) * price.output);
}

}  // namespace cutd
