#include "store/queue_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace cutd {

std::int64_t lease_deadline(std::int64_t now, std::int64_t lease_ms, std::int64_t longest) {
  return std::min(now + lease_ms, longest);
}

std::int64_t deadline_after_restart(std::int64_t deadline, std::int64_t seen, std::int64_t now, bool same_boot,
                                    std::int64_t grace) {
  // On the same boot clock the deadline means what it meant; on another one only the rest does.
  const std::int64_t moved = same_boot ? deadline : now + (deadline - seen);
  return std::max(moved, now + grace);
}

PeopleVerdict verdict_of_people(const std::vector<JudgmentLabel>& votes, const std::string& rule) {
  if (votes.empty()) throw Error(ErrorCode::kInternal, "a verdict of nobody");
  const auto positives = static_cast<std::size_t>(std::count(votes.begin(), votes.end(), JudgmentLabel::kPositive));
  const std::size_t negatives = votes.size() - positives;
  const JudgmentLabel more = positives > negatives ? JudgmentLabel::kPositive : JudgmentLabel::kNegative;
  const bool agreed = positives == 0 || negatives == 0;
  if (agreed || (rule == "majority" && positives != negatives)) {
    const auto first = std::find(votes.begin(), votes.end(), more);
    return {PeopleVerdict::Kind::kLabel, static_cast<std::size_t>(first - votes.begin()), ""};
  }
  const auto kind = rule == "all" ? PeopleVerdict::Kind::kNoLabel : PeopleVerdict::Kind::kReview;
  return {kind, 0, fmt::format("people disagree: {} satisfactory, {} criticised", positives, negatives)};
}

bool too_careless(const std::vector<bool>& right) {
  const auto first = right.end() - static_cast<std::ptrdiff_t>(std::min(right.size(), kGoldWindow));
  return static_cast<std::size_t>(std::count(first, right.end(), false)) > kMostWrongGold;
}

}  // namespace cutd
