#include "evaluation/guards.h"

#include <cmath>
#include <sstream>
#include <unordered_set>

namespace cutd {
namespace {

GuardResult check_guard(const std::string& name, double baseline, double value, const GuardBand& band) {
  const GuardBand allowed{band.low * baseline, band.high * baseline};
  return {name, value, baseline, allowed, std::isfinite(value) && value >= allowed.low && value <= allowed.high};
}

}  // namespace

void declare_guard_options(OptionTable& table, GuardBands& bands, const std::string& section) {
  const auto add = [&](const std::string& name, GuardBand& band, const std::string& what) {
    table.add(section + "." + name + "_low", &band.low,
              "lowest allowed ratio of the " + what + " to the untrained model's", in_range(0, 1e9));
    table.add(section + "." + name + "_high", &band.high,
              "highest allowed ratio of the " + what + " to the untrained model's", in_range(0, 1e9));
  };
  add("mean_words", bands.mean_words, "mean words of a response");
  add("distinct_2", bands.distinct_2, "share of different word pairs");
  add("perplexity", bands.perplexity, "perplexity under the original model");
}

std::vector<GuardResult> check_guards(const GuardValues& baseline, const GuardValues& candidate,
                                      const GuardBands& bands) {
  return {check_guard("mean_words", baseline.mean_words, candidate.mean_words, bands.mean_words),
          check_guard("distinct_2", baseline.distinct_2, candidate.distinct_2, bands.distinct_2),
          check_guard("perplexity", baseline.perplexity, candidate.perplexity, bands.perplexity)};
}

double mean_words(const std::vector<std::string>& responses) {
  if (responses.empty()) return 0;
  std::size_t words = 0;
  for (const std::string& response : responses) {
    std::istringstream stream(response);
    for (std::string word; stream >> word;) ++words;
  }
  return static_cast<double>(words) / static_cast<double>(responses.size());
}

double distinct_2(const std::vector<std::string>& responses) {
  std::unordered_set<std::string> different;
  std::size_t all = 0;
  for (const std::string& response : responses) {
    std::istringstream stream(response);
    std::string before;
    for (std::string word; stream >> word; before = word) {
      if (before.empty()) continue;
      different.insert(before + " " + word);
      ++all;
    }
  }
  return all == 0 ? 0 : static_cast<double>(different.size()) / static_cast<double>(all);
}

double perplexity(const std::vector<std::vector<double>>& logprobs) {
  double sum = 0;
  std::size_t tokens = 0;
  for (const std::vector<double>& response : logprobs) {
    for (const double logprob : response) sum += logprob;
    tokens += response.size();
  }
  return tokens == 0 ? 0 : std::exp(-sum / static_cast<double>(tokens));
}

}  // namespace cutd
