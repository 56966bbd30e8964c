#include "judge_client/rule_annotator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kQuestion = "Why do volcanoes erupt?";
constexpr const char* kGood = "Volcanoes erupt because hot molten rock rises through cracks and pushes gas outward.";

std::string judge(const std::string& response, bool ended = true, const std::string& instruction = kQuestion) {
  return judge_by_rules(Guideline{}, instruction, response, ended);
}

// `count` different words, the first of which is on the subject, and a final stop.
std::string sentence(int count) {
  std::string text = "Volcanoes";
  for (int i = 1; i < count; ++i) text += " word" + std::to_string(i);
  return text + ".";
}

TEST(RuleAnnotatorTest, CallsAGoodResponsePerfect) { EXPECT_EQ(judge(kGood), "Perfect."); }

TEST(RuleAnnotatorTest, QuotesAChattyOpening) {
  EXPECT_EQ(judge(std::string("Sure, here is the answer: ") + kGood),
            "It opens with chatter: \"Sure, here is the answer: Volcanoes\".");
  EXPECT_THAT(judge("Here’s why: volcanoes erupt when hot molten rock pushes gas outward."),
              StartsWith("It opens with chatter: \"Here’s why:"));
}

TEST(RuleAnnotatorTest, DoesNotMistakeALongerWordForAnOpening) {
  EXPECT_EQ(judge("Sure-footed geologists say volcanoes erupt because hot rock pushes gas outward."), "Perfect.");
  EXPECT_EQ(judge("Volcanoes erupt, sure, because hot rock rises and pushes gas outward."), "Perfect.");
}

TEST(RuleAnnotatorTest, QuotesSelfTalkWhereverItStands) {
  EXPECT_EQ(judge("Volcanoes erupt because hot rock rises. As an AI language model, I cannot say more."),
            "It talks about itself: \"As an AI language model, I\".");
}

TEST(RuleAnnotatorTest, QuotesTheFirstItemOfAList) {
  EXPECT_THAT(judge("Volcanoes erupt for reasons: 1. hot rock rises fast, 2. gas expands in it."),
              StartsWith("It is laid out as a list: \"1. hot rock rises fast, 2.\"."));
  EXPECT_THAT(judge("Volcanoes:\n- hot rock rises up\n- gas expands in it quickly."),
              StartsWith("It is laid out as a list: \"- hot rock rises up\n-\"."));
  EXPECT_THAT(judge("Step 1: Hot rock rises below volcanoes. Step 2: gas escapes."),
              StartsWith("It is laid out as a list: \"Step 1: Hot"));
  EXPECT_THAT(judge("Volcanoes\nDay 1 hot rock rises\nDay 2 gas escapes from it."),
              StartsWith("It is laid out as a list: \"Day 1 hot"));
}

TEST(RuleAnnotatorTest, DoesNotTakeANumberAtASentenceEndForAList) {
  EXPECT_EQ(judge("Volcanoes have a danger scale that begins at level 1. It ends far higher."), "Perfect.");
  EXPECT_EQ(judge("On day 3 of the rise, volcanoes erupt because hot rock pushes gas."), "Perfect.");
}

TEST(RuleAnnotatorTest, QuotesMarkup) {
  EXPECT_EQ(judge("Volcanoes erupt because **hot rock** rises through cracks and pushes gas."),
            "It uses markup: \"**hot rock** rises through cracks and\".");
  EXPECT_THAT(judge("# Volcanoes erupt because hot rock rises and pushes gas outward."),
              StartsWith("It uses markup: \"# Volcanoes"));
  EXPECT_THAT(judge("Volcanoes erupt because <b>hot</b> rock rises and pushes gas outward."),
              StartsWith("It uses markup: \"<b>hot</b>"));
  EXPECT_THAT(judge("Volcanoes erupt because `magma` rises fast and pushes gas outward."),
              StartsWith("It uses markup: \"`magma`"));
}

TEST(RuleAnnotatorTest, LeavesComparisonsAlone) {
  EXPECT_EQ(judge("Volcanoes erupt when the pressure p < q holds and rock gives way."), "Perfect.");
}

TEST(RuleAnnotatorTest, QuotesALineBreakWithTheWordsAroundIt) {
  EXPECT_EQ(judge("Volcanoes erupt because hot rock rises.\n\nIt pushes gas outward as well."),
            "It breaks the line: \"rock rises.\n\nIt pushes gas outward\".");
}

TEST(RuleAnnotatorTest, IgnoresBlanksAroundTheResponse) {
  EXPECT_EQ(judge(std::string("\n  ") + kGood + "\n\n"), "Perfect.");
}

TEST(RuleAnnotatorTest, QuotesTheSecondOccurrenceOfFiveWords) {
  EXPECT_EQ(judge("Volcanoes erupt because hot molten rock rises. They erupt because hot molten rock escapes."),
            "It repeats itself: \"erupt because hot molten rock escapes.\".");
}

TEST(RuleAnnotatorTest, AllowsFourWordsToComeTwice) {
  EXPECT_EQ(judge("Volcanoes erupt because hot rock rises. Others because hot rock rises slowly."), "Perfect.");
}

TEST(RuleAnnotatorTest, QuotesAPieceThatComesFiveTimes) {
  EXPECT_THAT(judge("Volcanoes are hot hot hot hot hot inside and so they erupt."),
              StartsWith("It repeats itself: \"hot hot hot hot inside and\""));
  EXPECT_THAT(judge("Volcanoes go hahahahaha when hot rock pushes gas outward again."),
              StartsWith("It repeats itself: \"hahahahaha when"));
  EXPECT_EQ(judge("Volcanoes need 1000000 years before hot rock can push gas outward."), "Perfect.");
}

TEST(RuleAnnotatorTest, PassesExactlyAtTheLimitsOfLength) {
  EXPECT_EQ(judge(sentence(8)), "Perfect.");
  EXPECT_EQ(judge(sentence(40)), "Perfect.");
  EXPECT_THAT(judge(sentence(7)), HasSubstr("too short"));
  EXPECT_THAT(judge(sentence(41)), HasSubstr("too long"));
}

TEST(RuleAnnotatorTest, QuotesAnOverrunFromTwoWordsBeforeTheLastAllowedSentenceEnd) {
  std::string text = sentence(20);  // 20 words, then one long sentence beyond the limit
  for (int i = 0; i < 30; ++i) text += (i == 0 ? " Then" : " more" + std::to_string(i));
  EXPECT_EQ(judge(text + "."),
            "It is too long and should have stopped within \"word18 word19. Then more1 more2 more3\".");
}

TEST(RuleAnnotatorTest, QuotesAnOverrunAtTheLimitWhenNoSentenceEndsBefore) {
  EXPECT_EQ(judge(sentence(60)),
            "It is too long and should have stopped within \"word38 word39 word40 word41 word42 word43\".");
}

TEST(RuleAnnotatorTest, QuotesAResponseThatBreaksOffFromTwoWordsBeforeItsLastSentenceEnd) {
  EXPECT_EQ(judge("Volcanoes erupt because hot molten rock rises up. Additionally, the gas in", false),
            "It breaks off and should have stopped within \"rises up. Additionally, the gas in\".");
}

TEST(RuleAnnotatorTest, QuotesTheEndOfAResponseThatBreaksOffWithinItsOnlySentence) {
  EXPECT_EQ(judge("Volcanoes erupt because hot molten rock rises through the many", false),
            "It breaks off unfinished: \"molten rock rises through the many\".");
}

TEST(RuleAnnotatorTest, CriticisesACutResponseEvenWhenItsLastSentenceIsWhole) {
  EXPECT_THAT(judge(kGood, false), StartsWith("It breaks off"));
}

TEST(RuleAnnotatorTest, QuotesAShortResponseWhole) {
  EXPECT_EQ(judge("Volcanoes erupt."), "It is too short and ends after \"Volcanoes erupt.\".");
}

TEST(RuleAnnotatorTest, QuotesAMissingFinalStop) {
  EXPECT_EQ(judge("Volcanoes erupt because hot molten rock rises through cracks and pushes"),
            "It does not end with a complete sentence: \"rock rises through cracks and pushes\".");
}

TEST(RuleAnnotatorTest, NamesTheSubjectThatIsNotMentioned) {
  EXPECT_EQ(judge("Bread rises because yeast makes gas inside the warm dough."),
            "It does not mention the subject asked (volcanoes): \"Bread rises because yeast makes gas\".");
}

TEST(RuleAnnotatorTest, FindsTheSubjectInOtherFormsOfItsWords) {
  EXPECT_EQ(judge("A volcano goes off when hot molten rock pushes gas outward."), "Perfect.");
  EXPECT_EQ(judge("Such eruptions come when hot molten rock pushes gas outward."), "Perfect.");
}

TEST(RuleAnnotatorTest, AsksForNoSubjectWhenTheInstructionNamesNone) {
  EXPECT_EQ(judge("Bread rises because yeast makes gas inside the warm dough.", true, "Tell me something."),
            "Perfect.");
}

TEST(RuleAnnotatorTest, NamesAtMostThreeDefectsInTheOrderOfTheChecks) {
  const std::string judgment = judge("Sure! As an AI, I say:\n1. **Bread** is warm\n2. Dough is warm", true);
  const std::size_t opening = judgment.find("It opens with chatter");
  const std::size_t self = judgment.find("It talks about itself");
  const std::size_t list = judgment.find("It is laid out as a list");
  EXPECT_LT(opening, self);
  EXPECT_LT(self, list);
  EXPECT_NE(list, std::string::npos);
  EXPECT_THAT(judgment, Not(HasSubstr("It uses markup")));
}

TEST(RuleAnnotatorTest, QuotesWordsThatStandInTheResponse) {
  const std::string response = "Volcanoes erupt \u201Cloudly\u201D because hot rock rises und drückt Gas\tnach außen";
  const std::string judgment = judge(response);
  const std::size_t first = judgment.find('"');
  const std::size_t last = judgment.rfind('"');
  ASSERT_LT(first, last);
  EXPECT_THAT(response, HasSubstr(judgment.substr(first + 1, last - first - 1)));
}

TEST(RuleAnnotatorTest, CallsAnEmptyResponseEmpty) {
  EXPECT_EQ(judge(""), "It is empty.");
  EXPECT_EQ(judge(" \n "), "It is empty.");
  EXPECT_EQ(judge("", false), "It breaks off. It is empty.");
}

TEST(RuleAnnotatorTest, JudgesOtherScriptsByTheSameRules) {
  EXPECT_EQ(judge("火山は地下の熱い岩が上がると噴火します。", true, "火山はなぜ噴火しますか。"), "Perfect.");
  EXPECT_EQ(
      judge("Вулканы извергаются потому, что горячая порода поднимается и давит.", true, "Почему извергаются вулканы?"),
      "Perfect.");
}

TEST(RuleAnnotatorTest, TakesAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 700; ++i) bytes += static_cast<char>((i * 91 + i / 3) % 256);
  EXPECT_NE(judge(bytes), "");
  EXPECT_NE(judge(std::string("\0\0\0", 3)), "Perfect.");
}

TEST(RuleAnnotatorTest, FollowsItsGuideline) {
  Guideline loose;
  loose.forbid_lists = loose.forbid_markup = loose.forbid_line_breaks = loose.require_complete_end =
      loose.require_subject = false;
  loose.min_words = 0;
  loose.forbidden_openings.clear();
  loose.self_talk.clear();
  EXPECT_EQ(judge_by_rules(loose, kQuestion, "Sure:\n1. **bread**\n2. as an ai", true), "Perfect.");
  Guideline one;
  one.max_defects = 1;
  EXPECT_EQ(judge_by_rules(one, kQuestion, "Sure.", true), "It opens with chatter: \"Sure.\".");
}

class RecordingSink : public JudgeSink {
 public:
  std::vector<bool> before_send(std::span<const AttemptIntent> intents) override {
    announced += intents.size();
    std::vector<bool> answers(intents.size(), true);
    if (refuse_first) answers[0] = false;
    return answers;
  }
  void after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) override {
    replies.emplace_back(attempt.request.value, reply.bytes);
    cost += usage.value().cost;
  }
  void after_failure(AttemptId, const AttemptFailure&) override { FAIL() << "rules do not fail"; }
  bool may_resend(AttemptId) override { return false; }
  void halted(const std::string&) override { FAIL() << "rules do not stop"; }
  void finished(RequestId request, const JudgeOutcome& outcome) override {
    outcomes.emplace_back(request.value, outcome);
    if (stop_after == outcomes.size()) source.request_stop();
  }

  bool refuse_first = false;
  std::size_t stop_after = 0;
  std::stop_source source;
  std::size_t announced = 0;
  std::int64_t cost = 0;
  std::vector<std::pair<std::int64_t, std::string>> replies;
  std::vector<std::pair<std::int64_t, JudgeOutcome>> outcomes;
};

TEST(RuleJudgeTest, ReportsEveryRequestOnceWithItsReply) {
  RuleJudge judge_plug{Guideline{}};
  judge_plug.submit({RequestId{7}, kQuestion, kGood, true});
  judge_plug.submit({RequestId{8}, kQuestion, "Sure.", true});
  RecordingSink sink;
  judge_plug.run({}, sink);
  ASSERT_EQ(sink.outcomes.size(), 2u);
  EXPECT_EQ(sink.outcomes[0].first, 7);
  EXPECT_TRUE(std::get<Verdict>(sink.outcomes[0].second).perfect);
  EXPECT_FALSE(std::get<Verdict>(sink.outcomes[1].second).perfect);
  EXPECT_EQ(sink.replies[1].second, std::get<Verdict>(sink.outcomes[1].second).text);
  EXPECT_EQ(sink.announced, 2u);
  EXPECT_EQ(sink.cost, 0);
}

TEST(RuleJudgeTest, SendsNothingThatWasNotAdmitted) {
  RuleJudge judge_plug{Guideline{}};
  judge_plug.submit({RequestId{1}, kQuestion, kGood, true});
  judge_plug.submit({RequestId{2}, kQuestion, kGood, true});
  RecordingSink sink;
  sink.refuse_first = true;
  judge_plug.run({}, sink);
  EXPECT_EQ(std::get<JudgeFailure>(sink.outcomes[0].second).kind, JudgeFailureKind::kCapped);
  ASSERT_EQ(sink.replies.size(), 1u);
  EXPECT_EQ(sink.replies[0].first, 2);
}

TEST(RuleJudgeTest, StopsBetweenRequestsAndForgetsTheRest) {
  RuleJudge judge_plug{Guideline{}};
  for (int i = 1; i <= 5; ++i) judge_plug.submit({RequestId{i}, kQuestion, kGood, true});
  RecordingSink sink;
  sink.stop_after = 2;
  judge_plug.run(sink.source.get_token(), sink);
  EXPECT_EQ(sink.outcomes.size(), 2u);
  RecordingSink later;
  judge_plug.run({}, later);
  EXPECT_TRUE(later.outcomes.empty());
}

}  // namespace
}  // namespace cutd
