#include "evaluation/stop_rule.h"

#include <fmt/format.h>

namespace cutd {
namespace {

constexpr const char* kOneRoundDone = "its one round is done";
constexpr const char* kBudgetSpent = "the budget is spent";
constexpr const char* kEndTimeCame = "the end time has come";

}  // namespace

std::optional<std::string> stop_reason(const StopRule& rule, const RunFacts& facts) {
  if (facts.rounds_finished >= rule.rounds) {
    return rule.rounds == 1 ? kOneRoundDone : fmt::format("all {} rounds are done", rule.rounds);
  }
  if (rule.patience > 0 && facts.consecutive_rejections >= rule.patience) {
    return fmt::format("{} rounds in a row were rejected (patience {})", facts.consecutive_rejections, rule.patience);
  }
  if (rule.budget > 0 && facts.spent >= rule.budget) return kBudgetSpent;
  if (rule.end_wall_micros > 0 && facts.now_wall_micros >= rule.end_wall_micros) return kEndTimeCame;
  if (facts.instructions_left < facts.instructions_per_round) {
    return fmt::format("only {} unused training instructions are left, a round needs {}", facts.instructions_left,
                       facts.instructions_per_round);
  }
  return std::nullopt;
}

std::string stop_cause(const std::string& reason) {
  if (reason == kOneRoundDone || (reason.starts_with("all ") && reason.ends_with(" rounds are done"))) return "rounds";
  if (reason.find("(patience ") != std::string::npos) return "patience";
  if (reason == kBudgetSpent) return "budget";
  if (reason == kEndTimeCame) return "end_time";
  if (reason.find("unused training instructions are left") != std::string::npos) return "instructions";
  return "";
}

}  // namespace cutd
