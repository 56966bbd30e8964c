// Several annotators for one response: whom to ask next, and whose judgment stands. Pure functions on plain structs;
// the same answer whatever the order in which judgments came in.
//
//   fallback  the members are asked one after another, each only when those before it failed: the first judgment stands
//   weighted  all are asked; the side with more than `agreement` of the weight of those who judged stands
// Where a weighted quorum disagrees, or too few judged, the referees (in order) are asked; without one that judges, the
// response has no label and is for people. A label is never made of a failure, and never of half of a quorum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace cutd {

struct QuorumMember {
  double weight = 1;
  bool referee = false;  // asked only when the others do not agree
};

struct QuorumPolicy {
  std::string rule = "fallback";      // fallback | weighted
  double agreement = 0.5;             // weighted: share of the weight that a side must exceed; 1: all of it is enough
  std::int64_t min_votes = 2;         // weighted: fewer judgments are no quorum
  std::vector<QuorumMember> members;  // in the order of the configuration
};
// Declares `section`.rule, .agreement and .min_votes.
void declare_quorum_options(OptionTable& table, QuorumPolicy& policy, const std::string& section);
// Why it can decide nothing, or "": no member but referees, a weight that is not positive, fewer members than
// min_votes.
std::string quorum_defect(const QuorumPolicy& policy);

enum class Vote { kNotAsked, kPending, kPerfect, kCriticised, kFailed };

struct Resolution {
  enum class Kind {
    kLabel,   // the judgment of `member` stands
    kAsk,     // `ask` must be asked now
    kWait,    // for judgments that are asked for
    kPeople,  // no label: `reason`
  };
  Kind kind = Kind::kWait;
  std::size_t member = 0;
  bool perfect = false;
  std::vector<std::size_t> ask;
  std::string reason;
};

// `votes`: one per member. Error(kInternal) for another number of them. In a weighted quorum the judgment that stands
// is the heaviest of the winning side, the first of equal ones.
Resolution resolve(const std::vector<Vote>& votes, const QuorumPolicy& policy);

}  // namespace cutd
