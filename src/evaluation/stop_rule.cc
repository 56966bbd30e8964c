#include "evaluation/stop_rule.h"

#include <fmt/format.h>

namespace cutd {

std::optional<std::string> stop_reason(const StopRule& rule, const RunFacts& facts) {
  if (facts.rounds_finished >= rule.rounds) return fmt::format("all {} rounds are done", rule.rounds);
  if (rule.patience > 0 && facts.consecutive_rejections >= rule.patience) {
    return fmt::format("{} rounds in a row were rejected (patience {})", facts.consecutive_rejections, rule.patience);
  }
  if (rule.budget > 0 && facts.spent >= rule.budget) return "the budget is spent";
  if (rule.end_wall_micros > 0 && facts.now_wall_micros >= rule.end_wall_micros) return "the end time has come";
  if (facts.instructions_left < facts.instructions_per_round) {
    return fmt::format("only {} unused training instructions are left, a round needs {}", facts.instructions_left,
                       facts.instructions_per_round);
  }
  return std::nullopt;
}

}  // namespace cutd
