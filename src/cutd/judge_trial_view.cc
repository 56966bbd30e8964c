#include "cutd/judge_trial_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "cutd/output.h"
#include "round/judge_estimate.h"

namespace cutd {
namespace {

constexpr std::size_t kShown = 60;  // characters of a judgment in a table
constexpr std::size_t kReasonsOfATrial = 10;
constexpr const char* kNotAsked = "the trial was stopped";

std::string shortened(std::string text) {
  for (char& byte : text) {
    if (byte == '\n' || byte == '\r' || byte == '\t') byte = ' ';
  }
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

std::string verdict_word(const TrialResult& result) {
  if (!result.outcome) return "not asked";
  if (const auto* verdict = std::get_if<Verdict>(&*result.outcome)) return verdict->perfect ? "perfect" : "criticised";
  return judge_failure_name(std::get<JudgeFailure>(*result.outcome).kind);
}

std::string words(const TrialResult& result) {
  if (!result.outcome) return "";
  if (const auto* verdict = std::get_if<Verdict>(&*result.outcome)) return verdict->text;
  return std::get<JudgeFailure>(*result.outcome).reason;
}

}  // namespace

Json trial_json(const AnnotatorConfig& annotator, const std::vector<TrialItem>& items, const Trial& trial) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const TrialResult& result = trial.results[i];
    rows.push_back({{"item", i + 1},
                    {"instruction", items[i].instruction},
                    {"response", items[i].response},
                    {"verdict", verdict_word(result)},
                    {"text", words(result)},
                    {"requests", result.requests},
                    {"input_tokens", result.input_tokens},
                    {"output_tokens", result.output_tokens},
                    {"cost", result.cost},
                    {"milliseconds", result.milliseconds}});
  }
  const std::optional<std::string> advice = trial_advice(annotator, trial);
  Json reasons = Json::array();
  for (const auto& [reason, count] : trial_reasons(trial)) reasons.push_back({{"reason", reason}, {"items", count}});
  return {{"annotator", annotator.name},   {"version", annotator_version(annotator)},
          {"items", std::move(rows)},      {"cost", trial.spent},
          {"reasons", std::move(reasons)}, {"problem", advice ? Json(*advice) : Json()}};
}

std::string trial_text(const AnnotatorConfig& annotator, const std::vector<TrialItem>& items, const Trial& trial) {
  std::vector<std::vector<std::string>> rows;
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const TrialResult& result = trial.results[i];
    rows.push_back({std::to_string(i + 1), verdict_word(result), std::to_string(result.input_tokens),
                    std::to_string(result.output_tokens), dollars_text(result.cost),
                    std::to_string(result.milliseconds), shortened(items[i].instruction), shortened(words(result))});
    milliseconds = std::max(milliseconds, result.milliseconds);
  }
  return table_text({"item", "verdict", "in", "out", "cost", "ms", "instruction", "judgment"}, rows) +
         fmt::format("{} ({}): {} for {} items, the slowest in {} ms\n", annotator.name, annotator_version(annotator),
                     dollars_text(trial.spent), items.size(), milliseconds);
}

std::vector<std::pair<std::string, std::size_t>> trial_reasons(const Trial& trial) {
  std::vector<std::pair<std::string, std::size_t>> reasons;
  for (const TrialResult& result : trial.results) {
    const auto* failure = result.outcome ? std::get_if<JudgeFailure>(&*result.outcome) : nullptr;
    if (result.outcome && failure == nullptr) continue;
    const std::string reason = failure == nullptr ? kNotAsked
                               : failure->kind == JudgeFailureKind::kCapped
                                   ? "the trial's budget is used up: raise --budget, or llm.caps.request"
                                   : failure->reason;
    const auto known =
        std::find_if(reasons.begin(), reasons.end(), [&](const auto& one) { return one.first == reason; });
    if (known == reasons.end()) reasons.emplace_back(reason, 1);
    else ++known->second;
  }
  std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return reasons;
}

std::optional<std::string> trial_advice(const AnnotatorConfig& annotator, const Trial& trial) {
  const std::string key = annotator.llm.api_key_name.empty() ? "" : " (credential " + annotator.llm.api_key_name + ")";
  const std::string who = "annotator " + annotator.name + key + ": ";
  const std::string hint = trial.hint.empty() ? "" : "; " + trial.hint;
  if (trial.halted) return who + *trial.halted + hint;
  const auto reasons = trial_reasons(trial);
  if (reasons.empty()) return std::nullopt;
  std::size_t without = 0;
  for (const auto& [reason, items] : reasons) without += items;
  const std::string text = fmt::format("{}{} of {} items got no verdict:", who, without, trial.results.size());
  if (reasons.size() == 1) return text + " " + reasons.front().first + hint;
  std::string lines;
  for (std::size_t i = 0; i < std::min(reasons.size(), kReasonsOfATrial); ++i)
    lines += fmt::format("\n  {} x {}", reasons[i].second, reasons[i].first);
  if (reasons.size() > kReasonsOfATrial)
    lines += fmt::format("\n  and {} other reasons", reasons.size() - kReasonsOfATrial);
  return text + lines + (trial.hint.empty() ? "" : "\n  " + trial.hint);
}

}  // namespace cutd
