#include "evaluation/quorum.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace cutd {
namespace {

using Kind = Resolution::Kind;

bool is_judged(Vote vote) { return vote == Vote::kPerfect || vote == Vote::kCriticised; }

Resolution label(std::size_t member, Vote vote) { return {Kind::kLabel, member, vote == Vote::kPerfect, {}, ""}; }
Resolution ask(std::vector<std::size_t> members) { return {Kind::kAsk, 0, false, std::move(members), ""}; }
Resolution wait() { return {}; }

std::vector<std::size_t> members_of(const QuorumPolicy& policy, bool referees) {
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < policy.members.size(); ++i) {
    if (policy.members[i].referee == referees) members.push_back(i);
  }
  return members;
}

// One after another; `reason` when all of them failed.
Resolution first_judgment(const std::vector<Vote>& votes, const std::vector<std::size_t>& members,
                          const std::string& reason) {
  for (const std::size_t i : members) {
    if (is_judged(votes[i])) return label(i, votes[i]);
    if (votes[i] == Vote::kPending) return wait();
    if (votes[i] == Vote::kNotAsked) return ask({i});
  }
  return {Kind::kPeople, 0, false, {}, reason};
}

Resolution by_weight(const std::vector<Vote>& votes, const QuorumPolicy& policy) {
  const std::vector<std::size_t> judges = members_of(policy, false);
  std::vector<std::size_t> missing;
  std::int64_t judged = 0;
  double weight[2] = {0, 0};  // criticised, perfect
  for (const std::size_t i : judges) {
    if (votes[i] == Vote::kNotAsked) missing.push_back(i);
    if (!is_judged(votes[i])) continue;
    ++judged;
    weight[votes[i] == Vote::kPerfect ? 1 : 0] += policy.members[i].weight;
  }
  if (!missing.empty()) return ask(missing);
  for (const std::size_t i : judges) {
    if (votes[i] == Vote::kPending) return wait();
  }
  const std::vector<std::size_t> referees = members_of(policy, true);
  if (judged < policy.min_votes) {
    return first_judgment(votes, referees,
                          fmt::format("{} of {} annotators judged, {} must", judged, judges.size(), policy.min_votes));
  }
  const bool perfect = weight[1] > weight[0];
  const double agreed = weight[perfect ? 1 : 0] / (weight[0] + weight[1]);
  const bool enough = agreed > policy.agreement || agreed == 1;
  if (!enough || weight[0] == weight[1]) {
    return first_judgment(
        votes, referees,
        fmt::format("annotators disagree: {} of {} of the weight says satisfactory", weight[1], weight[0] + weight[1]));
  }
  const Vote side = perfect ? Vote::kPerfect : Vote::kCriticised;
  std::size_t heaviest = policy.members.size();
  for (const std::size_t i : judges) {
    if (votes[i] != side) continue;
    if (heaviest == policy.members.size() || policy.members[i].weight > policy.members[heaviest].weight) heaviest = i;
  }
  return label(heaviest, side);
}

}  // namespace

void declare_quorum_options(OptionTable& table, QuorumPolicy& policy, const std::string& section) {
  table.add(section + ".rule", &policy.rule,
            "fallback: the next annotator is asked when one fails; weighted: all are asked and vote",
            one_of({"fallback", "weighted"}));
  table.add(section + ".agreement", &policy.agreement,
            "weighted: share of the weight that one side must exceed (1: all of it)", in_range(0.5, 1));
  table.add(section + ".min_votes", &policy.min_votes, "weighted: fewer judgments are no quorum", at_least(1));
}

std::string quorum_defect(const QuorumPolicy& policy) {
  const auto judges = static_cast<std::int64_t>(members_of(policy, false).size());
  if (judges == 0) return "every annotator is a referee: none would be asked first";
  for (const QuorumMember& member : policy.members) {
    if (!(member.weight > 0)) return "an annotator's weight must be above 0";
  }
  if (policy.rule == "weighted" && judges < policy.min_votes)
    return fmt::format("quorum.min_votes is {}, but only {} annotators vote", policy.min_votes, judges);
  if (policy.rule == "fallback" && judges != static_cast<std::int64_t>(policy.members.size()))
    return "a referee needs quorum.rule weighted: a fallback chain never disagrees";
  return "";
}

Resolution resolve(const std::vector<Vote>& votes, const QuorumPolicy& policy) {
  if (votes.size() != policy.members.size()) {
    throw Error(ErrorCode::kInternal,
                fmt::format("{} votes for {} members of a quorum", votes.size(), policy.members.size()));
  }
  if (policy.rule == "weighted") return by_weight(votes, policy);
  return first_judgment(votes, members_of(policy, false), "every annotator failed");
}

}  // namespace cutd
