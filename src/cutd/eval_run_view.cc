#include "cutd/eval_run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace cutd {
namespace {

constexpr std::size_t kShownReasons = 5;

using Reason = std::pair<std::string, std::int64_t>;

// Most pairs first.
std::vector<Reason> sorted_reasons(const AnnotateResult& result) {
  std::vector<Reason> reasons(result.reasons.begin(), result.reasons.end());
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.second > b.second; });
  return reasons;
}

std::string reasons_text(const AnnotateResult& result) {
  const std::vector<Reason> reasons = sorted_reasons(result);
  std::string text;
  for (std::size_t i = 0; i < std::min(reasons.size(), kShownReasons); ++i)
    text += fmt::format("  {} x {}\n", reasons[i].second, reasons[i].first);
  if (reasons.size() > kShownReasons) text += fmt::format("  and {} other reasons\n", reasons.size() - kShownReasons);
  return text;
}

}  // namespace

std::string eval_dollars(std::int64_t micros) { return fmt::format("{:.4f} $", static_cast<double>(micros) / 1e6); }

Json eval_run_json(const AnnotateResult& result, const std::string& output) {
  Json json = pairwise_score_json(score_annotations(result.annotations));
  json["annotations"] = output;
  json["cost_usd"] = static_cast<double>(result.progress.spent) / 1e6;
  json["calls"] = {{"asked", result.progress.asked},
                   {"reused", result.progress.reused},
                   {"identical", result.progress.identical},
                   {"unparsed", result.unparsed},
                   {"failed", result.failed},
                   {"unknown", result.unknown},
                   {"capped", result.capped},
                   {"left", result.left}};
  json["reasons"] = Json::array();
  for (const auto& [reason, pairs] : sorted_reasons(result))
    json["reasons"].push_back({{"reason", reason}, {"pairs", pairs}});
  if (!result.paused.empty()) json["paused"] = result.paused;
  return json;
}

std::string eval_run_text(const AnnotateResult& result, const std::string& output) {
  const PairwiseScore score = score_annotations(result.annotations);
  std::string text =
      score.figures.n_total == 0
          ? fmt::format("no win rate: none of {} pairs has a verdict\n", score.missing)
          : fmt::format("win rate {:.2f} (standard error {:.2f}) over {} pairs; {} missing\n", score.figures.win_rate,
                        score.figures.standard_error, score.figures.n_total, score.missing);
  text += fmt::format("{} asked, {} known from before, {} identical; {} spent in all\n", result.progress.asked,
                      result.progress.reused, result.progress.identical, eval_dollars(result.progress.spent));
  text += fmt::format("{} unparsed, {} failed ({} of them perhaps charged), {} over the cap, {} left\n",
                      result.unparsed, result.failed, result.unknown, result.capped, result.left);
  return text + reasons_text(result) + fmt::format("annotations: {}\n", output);
}

std::string eval_run_advice(const AnnotateResult& result) {
  const bool whole = result.paused.empty() && result.capped == 0 && result.left == 0 && result.failed == 0;
  if (whole) return "";
  std::string text;
  if (!result.paused.empty()) text += "stopped: " + result.paused + "\n";
  if (result.failed > 0) {
    const std::vector<Reason> reasons = sorted_reasons(result);
    text += fmt::format("{} pairs failed, most often: {}\n", result.failed, reasons.front().first);
  }
  if (result.unknown > 0) {
    text +=
        fmt::format("{} answers were lost and may be charged: --resend-unknown asks for them again\n", result.unknown);
  }
  if (result.capped > 0) text += fmt::format("{} pairs are over the cap: raise --max-usd\n", result.capped);
  return text + (result.paused.empty() ? "" : "put that right first; ") +
         "not every pair was judged: the same command goes on without paying again\n";
}

}  // namespace cutd
