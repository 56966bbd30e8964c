#include "evaluation/win_rate.h"

#include <cmath>
#include <limits>

namespace cutd {
namespace {

struct Summary {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double standard_error = std::numeric_limits<double>::quiet_NaN();
};

Summary summarise(const std::vector<double>& shares) {
  Summary summary;
  if (shares.empty()) return summary;
  const double n = static_cast<double>(shares.size());
  double sum = 0;
  for (const double share : shares) sum += share;
  summary.mean = sum / n;
  if (shares.size() < 2) return summary;
  double squares = 0;
  for (const double share : shares) squares += (share - summary.mean) * (share - summary.mean);
  summary.standard_error = std::sqrt(squares / (n - 1)) / std::sqrt(n);
  return summary;
}

double discrete_win_rate(const std::vector<Preference>& preferences) {
  std::vector<double> shares;
  for (const Preference& preference : preferences) {
    if (!preference) continue;
    const double rounded = *preference == 1.5 ? 0 : std::nearbyint(*preference);
    if (const auto share = preference_share(rounded)) shares.push_back(*share);
  }
  return summarise(shares).mean * 100;
}

}  // namespace

std::optional<double> preference_share(const Preference& preference) {
  if (!preference) return std::nullopt;
  const double value = *preference == 0 ? 1.5 : *preference;
  if (!(value >= 1 && value <= 2)) return std::nullopt;
  return value - 1;
}

WinRate compute_win_rate(const std::vector<Preference>& preferences) {
  WinRate result;
  std::vector<double> shares;
  for (const Preference& preference : preferences) {
    const auto share = preference_share(preference);
    if (!share) continue;
    shares.push_back(*share);
    if (*share > 0.5) ++result.n_wins;
    else if (*share < 0.5) ++result.n_wins_base;
    else ++result.n_draws;
  }
  const Summary summary = summarise(shares);
  result.win_rate = summary.mean * 100;
  result.standard_error = summary.standard_error * 100;
  result.n_total = static_cast<std::int64_t>(shares.size());
  result.discrete_win_rate = discrete_win_rate(preferences);
  return result;
}

}  // namespace cutd
