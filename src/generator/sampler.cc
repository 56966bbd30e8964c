#include "generator/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/error.h"
#include "core/random.h"

namespace cutd {
namespace {

constexpr float kRemoved = -std::numeric_limits<float>::infinity();

// The k-th largest logit; everything below it is removed, ties with it stay.
float top_k_threshold(std::span<const float> logits, std::size_t k) {
  std::vector<float> values(logits.begin(), logits.end());
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(k - 1), values.end(), std::greater<>());
  return values[k - 1];
}

void normalise(std::vector<TokenProbability>& rows) {
  double sum = 0;
  for (const TokenProbability& row : rows) sum += row.probability;
  for (TokenProbability& row : rows) row.probability = static_cast<float>(row.probability / sum);
}

// Hugging Face drops, in ascending order, while the cumulative mass is at most 1 - top_p, and keeps one.
void keep_top_p(std::vector<TokenProbability>& descending, double top_p) {
  double mass = 0;
  std::size_t drop = 0;
  for (auto row = descending.rbegin(); row != descending.rend(); ++row) {
    mass += row->probability;
    if (mass > 1 - top_p) break;
    ++drop;
  }
  descending.resize(std::max<std::size_t>(1, descending.size() - drop));
}

}  // namespace

void apply_repetition_penalty(std::span<float> logits, std::span<const std::int64_t> seen, double penalty) {
  if (penalty == 1) return;
  const auto factor = static_cast<float>(penalty);
  std::unordered_set<std::int64_t> done;
  for (const std::int64_t id : seen) {
    if (id < 0 || static_cast<std::size_t>(id) >= logits.size() || !done.insert(id).second) continue;
    float& logit = logits[static_cast<std::size_t>(id)];
    logit = logit < 0 ? logit * factor : logit / factor;
  }
}

std::vector<TokenProbability> filtered_distribution(std::span<const float> logits, const SamplingConfig& config) {
  const auto temperature = static_cast<float>(config.temperature);
  float least = kRemoved;
  if (config.top_k > 0 && static_cast<std::size_t>(config.top_k) < logits.size()) {
    least = top_k_threshold(logits, static_cast<std::size_t>(config.top_k));
  }
  const float largest = *std::max_element(logits.begin(), logits.end());
  std::vector<TokenProbability> rows;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] < least || logits[id] == kRemoved) continue;
    rows.push_back({static_cast<std::int64_t>(id), std::exp(logits[id] / temperature - largest / temperature)});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  normalise(rows);
  if (config.top_p < 1) {
    keep_top_p(rows, config.top_p);
    normalise(rows);
  }
  if (config.min_p > 0) {
    const auto floor = static_cast<float>(config.min_p) * rows.front().probability;
    std::erase_if(rows, [floor](const TokenProbability& row) { return row.probability < floor; });
    normalise(rows);
  }
  return rows;
}

std::int64_t argmax(std::span<const float> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

std::int64_t choose_token(std::span<float> logits, std::span<const std::int64_t> seen, const SamplingConfig& config,
                          std::uint64_t seed, std::uint64_t step) {
  for (const float logit : logits) {
    if (std::isnan(logit)) throw Error(ErrorCode::kInternal, "the model produced a logit that is not a number");
  }
  apply_repetition_penalty(logits, seen, config.repetition_penalty);
  if (config.temperature == 0) return argmax(logits);
  const std::vector<TokenProbability> rows = filtered_distribution(logits, config);
  const double uniform = philox_uniform(seed, step);
  double mass = 0;
  for (const TokenProbability& row : rows) {
    mass += row.probability;
    if (uniform < mass) return row.id;
  }
  return rows.back().id;
}

}  // namespace cutd
