#include "evaluation/quorum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/error_of.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

constexpr Vote kNotAsked = Vote::kNotAsked;
constexpr Vote kPending = Vote::kPending;
constexpr Vote kPerfect = Vote::kPerfect;
constexpr Vote kCriticised = Vote::kCriticised;
constexpr Vote kFailed = Vote::kFailed;

QuorumPolicy policy(const std::string& rule, std::vector<QuorumMember> members) {
  QuorumPolicy policy;
  policy.rule = rule;
  policy.members = std::move(members);
  return policy;
}

// "perfect by 0", "criticised by 2", "ask 1", "wait" or "people: REASON".
std::string in_words(const Resolution& resolution) {
  switch (resolution.kind) {
    case Resolution::Kind::kLabel:
      return (resolution.perfect ? "perfect by " : "criticised by ") + std::to_string(resolution.member);
    case Resolution::Kind::kWait: return "wait";
    case Resolution::Kind::kPeople: return "people: " + resolution.reason;
    case Resolution::Kind::kAsk: break;
  }
  std::string text = "ask";
  for (const std::size_t member : resolution.ask) text += " " + std::to_string(member);
  return text;
}
std::string resolved(const QuorumPolicy& policy, const std::vector<Vote>& votes) {
  return in_words(resolve(votes, policy));
}

TEST(QuorumTest, TakesTheWordOfASingleAnnotator) {
  for (const char* rule : {"fallback", "weighted"}) {
    QuorumPolicy alone = policy(rule, {{}});
    alone.min_votes = 1;
    EXPECT_EQ(resolved(alone, {kNotAsked}), "ask 0");
    EXPECT_EQ(resolved(alone, {kPending}), "wait");
    EXPECT_EQ(resolved(alone, {kPerfect}), "perfect by 0");
    EXPECT_EQ(resolved(alone, {kCriticised}), "criticised by 0");
    EXPECT_THAT(resolved(alone, {kFailed}), HasSubstr("people"));
  }
}

TEST(QuorumTest, AsksTheNextOneOnlyWhenOneFails) {
  const QuorumPolicy chain = policy("fallback", {{}, {}, {}});
  EXPECT_EQ(resolved(chain, {kNotAsked, kNotAsked, kNotAsked}), "ask 0");
  EXPECT_EQ(resolved(chain, {kPending, kNotAsked, kNotAsked}), "wait");
  EXPECT_EQ(resolved(chain, {kFailed, kNotAsked, kNotAsked}), "ask 1");
  EXPECT_EQ(resolved(chain, {kFailed, kCriticised, kNotAsked}), "criticised by 1");
  EXPECT_EQ(resolved(chain, {kFailed, kFailed, kPerfect}), "perfect by 2");
  EXPECT_EQ(resolved(chain, {kFailed, kFailed, kFailed}), "people: every annotator failed");
  EXPECT_EQ(resolved(chain, {kPerfect, kCriticised, kCriticised}), "perfect by 0");  // its word stands
}

TEST(QuorumTest, AsksAllVotersAtOnceAndWaitsForThem) {
  const QuorumPolicy vote = policy("weighted", {{}, {}, {}});
  EXPECT_EQ(resolved(vote, {kNotAsked, kNotAsked, kNotAsked}), "ask 0 1 2");
  EXPECT_EQ(resolved(vote, {kPerfect, kNotAsked, kPending}), "ask 1");
  EXPECT_EQ(resolved(vote, {kPerfect, kPerfect, kPending}), "wait");
}

TEST(QuorumTest, FollowsTheMajorityAndItsHeaviestMember) {
  const QuorumPolicy vote = policy("weighted", {{1, false}, {2, false}, {2, false}});
  EXPECT_EQ(resolved(vote, {kPerfect, kPerfect, kCriticised}), "perfect by 1");
  EXPECT_EQ(resolved(vote, {kPerfect, kCriticised, kCriticised}), "criticised by 1");
  EXPECT_EQ(resolved(vote, {kCriticised, kFailed, kCriticised}), "criticised by 2");
  // Weight counts, not heads.
  const QuorumPolicy heavy = policy("weighted", {{5, false}, {2, false}, {2, false}});
  EXPECT_EQ(resolved(heavy, {kPerfect, kCriticised, kCriticised}), "perfect by 0");
}

TEST(QuorumTest, LeavesADisagreementToPeople) {
  const QuorumPolicy vote = policy("weighted", {{}, {}});
  EXPECT_EQ(resolved(vote, {kPerfect, kCriticised}),
            "people: annotators disagree: 1 of 2 of the weight says satisfactory");
  QuorumPolicy strict = policy("weighted", {{}, {}, {}});
  strict.agreement = 0.7;
  EXPECT_THAT(resolved(strict, {kPerfect, kPerfect, kCriticised}), HasSubstr("disagree"));
  strict.agreement = 1;
  EXPECT_EQ(resolved(strict, {kPerfect, kPerfect, kPerfect}), "perfect by 0");
}

TEST(QuorumTest, IsNoQuorumWhenTooFewJudged) {
  EXPECT_EQ(resolved(policy("weighted", {{}, {}, {}}), {kPerfect, kFailed, kFailed}),
            "people: 1 of 3 annotators judged, 2 must");
}

TEST(QuorumTest, LetsARefereeSettleWhatTheOthersDoNot) {
  const QuorumPolicy vote = policy("weighted", {{}, {}, {1, true}, {1, true}});
  EXPECT_EQ(resolved(vote, {kNotAsked, kNotAsked, kNotAsked, kNotAsked}), "ask 0 1");
  EXPECT_EQ(resolved(vote, {kPerfect, kPerfect, kNotAsked, kNotAsked}), "perfect by 0");
  EXPECT_EQ(resolved(vote, {kPerfect, kCriticised, kNotAsked, kNotAsked}), "ask 2");
  EXPECT_EQ(resolved(vote, {kPerfect, kCriticised, kPending, kNotAsked}), "wait");
  EXPECT_EQ(resolved(vote, {kPerfect, kCriticised, kCriticised, kNotAsked}), "criticised by 2");
  EXPECT_EQ(resolved(vote, {kPerfect, kCriticised, kFailed, kNotAsked}), "ask 3");
  EXPECT_THAT(resolved(vote, {kPerfect, kCriticised, kFailed, kFailed}), HasSubstr("people: annotators disagree"));
  EXPECT_EQ(resolved(vote, {kFailed, kPerfect, kNotAsked, kNotAsked}), "ask 2");
}

// Whatever the members say: a label is the vote of the member it names, who judged, and nobody is waited for in vain.
TEST(QuorumTest, MakesALabelOnlyOfAJudgment) {
  std::vector<QuorumPolicy> policies = {policy("fallback", {{}, {}, {}, {}}),
                                        policy("weighted", {{3, false}, {1, false}, {1, false}, {1, true}})};
  for (const QuorumPolicy& one : policies) {
    for (int code = 0; code < 5 * 5 * 5 * 5; ++code) {
      std::vector<Vote> votes;
      for (int i = 0, rest = code; i < 4; ++i, rest /= 5) votes.push_back(static_cast<Vote>(rest % 5));
      const Resolution resolution = resolve(votes, one);
      const bool labels = resolution.kind == Resolution::Kind::kLabel;
      const bool asks = resolution.kind == Resolution::Kind::kAsk;
      const bool waits = resolution.kind == Resolution::Kind::kWait;
      const bool gives_up = resolution.kind == Resolution::Kind::kPeople;
      const Vote label = resolution.perfect ? kPerfect : kCriticised;
      EXPECT_TRUE(!labels || votes[resolution.member] == label);
      EXPECT_TRUE(!waits || std::count(votes.begin(), votes.end(), kPending) > 0);
      EXPECT_EQ(asks, !resolution.ask.empty());
      for (const std::size_t member : resolution.ask) EXPECT_EQ(votes[member], kNotAsked);
      EXPECT_EQ(gives_up, !resolution.reason.empty());
    }
  }
}

TEST(QuorumTest, SaysWhyAPolicyCanDecideNothing) {
  EXPECT_EQ(quorum_defect(policy("fallback", {{}})), "");
  EXPECT_EQ(quorum_defect(policy("weighted", {{}, {}, {1, true}})), "");
  EXPECT_THAT(quorum_defect(policy("weighted", {{1, true}})), HasSubstr("referee"));
  EXPECT_THAT(quorum_defect(policy("weighted", {{}})), HasSubstr("min_votes"));
  EXPECT_THAT(quorum_defect(policy("weighted", {{}, {0, false}})), HasSubstr("weight"));
  EXPECT_THAT(quorum_defect(policy("fallback", {{}, {1, true}})), HasSubstr("weighted"));
  error_of(ErrorCode::kInternal, [] { resolve({}, policy("fallback", {{}})); });
}

}  // namespace
}  // namespace cutd
