#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "llm_api/failure.h"

namespace cutd {
namespace {

constexpr double kMonthMs = 30.0 * 24 * 3600 * 1000;

// nullopt for what is not wholly a number, or is not a time to wait.
std::optional<std::int64_t> wait_of(std::string_view text, double unit_ms) {
  const std::string value(text);
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || end != value.c_str() + value.size() || std::isnan(number) || number < 0) return std::nullopt;
  return static_cast<std::int64_t>(std::ceil(std::min(number * unit_ms, kMonthMs)));
}

// RFC 9110's preferred form: "Wed, 25 Nov 2026 23:59:59 GMT".
std::optional<std::int64_t> wait_until(std::string_view text, std::int64_t wall_micros) {
  const std::string value(text);
  tm parts{};
  const char* end = ::strptime(value.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const double wait = static_cast<double>(::timegm(&parts)) * 1e3 - static_cast<double>(wall_micros) / 1e3;
  return static_cast<std::int64_t>(std::ceil(std::clamp(wait, 0.0, kMonthMs)));
}

}  // namespace

std::optional<std::int64_t> retry_after_ms(const HttpReply& reply, std::int64_t wall_micros) {
  if (const auto wait = wait_of(reply.header("retry-after-ms"), 1)) return wait;
  if (const auto wait = wait_of(reply.header("retry-after"), 1000)) return wait;
  return wait_until(reply.header("retry-after"), wall_micros);
}

}  // namespace cutd
