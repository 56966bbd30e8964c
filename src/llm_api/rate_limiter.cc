#include "llm_api/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace cutd {
namespace {

constexpr double kMinuteMs = 60'000;

double cost_ms(double amount, double per_minute, double share) {
  return per_minute > 0 ? amount * kMinuteMs / (per_minute * share) : 0;
}

}  // namespace

std::int64_t RateLimiter::next_ms() const {
  return static_cast<std::int64_t>(std::ceil(std::max(requests_free_ms_, tokens_free_ms_)));
}

void RateLimiter::sent(std::int64_t now_ms, std::int64_t tokens) {
  const auto now = static_cast<double>(now_ms);
  requests_free_ms_ = std::max(requests_free_ms_, now) + cost_ms(1, limits_.max_rpm, limits_.share);
  tokens_free_ms_ =
      std::max(tokens_free_ms_, now) + cost_ms(static_cast<double>(tokens), limits_.max_tpm, limits_.share);
}

void RateLimiter::settled(std::int64_t estimated, std::int64_t actual) {
  tokens_free_ms_ += cost_ms(static_cast<double>(actual - estimated), limits_.max_tpm, limits_.share);
}

Json RateLimiter::save(std::int64_t now_ms, std::int64_t wall_micros) const {
  const auto left = [&](double free_ms) { return std::max(0.0, free_ms - static_cast<double>(now_ms)); };
  return {
      {"requests_ms", left(requests_free_ms_)}, {"tokens_ms", left(tokens_free_ms_)}, {"saved_micros", wall_micros}};
}

void RateLimiter::restore(const Json& saved, std::int64_t now_ms, std::int64_t wall_micros) {
  const auto passed =
      std::max<std::int64_t>(0, wall_micros - json_get<std::int64_t>(saved, "saved_micros", "rate state"));
  const auto free_at = [&](const char* key) {
    const double left = json_get<double>(saved, key, "rate state") - static_cast<double>(passed) / 1e3;
    return static_cast<double>(now_ms) + std::max(0.0, left);
  };
  requests_free_ms_ = free_at("requests_ms");
  tokens_free_ms_ = free_at("tokens_ms");
}

}  // namespace cutd
