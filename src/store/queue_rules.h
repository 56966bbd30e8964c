// What the annotation queue decides, as pure functions: how long a lease lasts, what k judgments of one item come to,
// when a person is too careless to be counted. Times are milliseconds of the boot clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/domain.h"

namespace cutd {

constexpr std::int64_t kMostLiveLeases = 2;   // of one person
constexpr std::int64_t kCoolDownMs = 60'000;  // before a released item may come again to who released it
constexpr std::int64_t kGraceAfterRestartMs = 120'000;

// When a lease taken or renewed now ends: never beyond `longest`.
std::int64_t lease_deadline(std::int64_t now, std::int64_t lease_ms, std::int64_t longest);

// A deadline of the boot clock that was last seen at `seen`, on the present one that reads `now`: what was left then
// is left now, and at least `grace`, in which people's pages come back.
std::int64_t deadline_after_restart(std::int64_t deadline, std::int64_t seen, std::int64_t now, bool same_boot,
                                    std::int64_t grace = kGraceAfterRestartMs);

// What the counted judgments of an item come to, in the order they came.
struct PeopleVerdict {
  enum class Kind {
    kLabel,    // that of votes[index] stands
    kReview,   // an operator decides: `reason`
    kNoLabel,  // they disagree, and the rule makes no label of that: `reason`
  };
  Kind kind = Kind::kNoLabel;
  std::size_t index = 0;
  std::string reason;
};
// `rule`: all (must agree, else no label), majority (more than half, else review), adjudicate (must agree, else
// review). The judgment that stands is the first of the winning side. At least one vote.
PeopleVerdict verdict_of_people(const std::vector<JudgmentLabel>& votes, const std::string& rule);

// Whether a person is given nothing any more: fewer than 70 % of the last 20 gold items right. It is certain, and
// true, from the seventh wrong one on, so the first six are silent. `right` is oldest first.
bool too_careless(const std::vector<bool>& right);
constexpr std::size_t kGoldWindow = 20;
constexpr std::size_t kMostWrongGold = 6;

// Whether the next item is a gold one. `draw` is uniform in [0, 1): independent of everything a person could see.
inline bool gold_is_due(double draw, double share) { return draw < share; }

}  // namespace cutd
