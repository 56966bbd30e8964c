#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

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

// The three forms of RFC 9110: its own, that of RFC 850 and that of C's asctime(), whose day may be one digit.
constexpr const char* kDateForms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};

// A year of two digits that seems more than fifty years ahead is one of the past.
void settle_century(tm& parts, std::int64_t wall_micros) {
  const auto now = static_cast<time_t>(wall_micros / 1'000'000);
  tm today{};
  ::gmtime_r(&now, &today);
  parts.tm_year = today.tm_year / 100 * 100 + parts.tm_year % 100;
  if (parts.tm_year > today.tm_year + 50) parts.tm_year -= 100;
}

std::optional<std::int64_t> wait_until(std::string_view text, std::int64_t wall_micros) {
  const std::string value(text);
  tm parts{};
  const auto reads = [&](const char* form) {
    parts = {};
    const char* end = ::strptime(value.c_str(), form, &parts);
    return end != nullptr && *end == '\0';
  };
  const auto* form = std::find_if(std::begin(kDateForms), std::end(kDateForms), reads);
  if (form == std::end(kDateForms)) return std::nullopt;
  if (form == kDateForms + 1) settle_century(parts, wall_micros);
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
