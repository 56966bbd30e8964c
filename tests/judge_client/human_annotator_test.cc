#include "judge_client/human_annotator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge_client/annotator.h"
#include "support/error_of.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

std::string why_not_taken(bool satisfactory, const std::string& text) {
  return error_of(ErrorCode::kBadInput, [&] { checked_judgment_text(satisfactory, text); });
}

TEST(HumanAnnotatorTest, TakesACriticismAsItWasWritten) {
  EXPECT_EQ(checked_judgment_text(false, "  Too long.\n"), "Too long.");
}

TEST(HumanAnnotatorTest, WritesPerfectForASatisfactoryResponseWithoutARemark) {
  EXPECT_EQ(checked_judgment_text(true, " "), "Perfect.");
  EXPECT_EQ(checked_judgment_text(true, "Perfect. And short."), "Perfect. And short.");
}

TEST(HumanAnnotatorTest, RefusesACriticismThatSaysNothing) {
  EXPECT_THAT(why_not_taken(false, " \n"), HasSubstr("what is wrong"));
}

TEST(HumanAnnotatorTest, RefusesTextThatContradictsItsLabel) {
  EXPECT_THAT(why_not_taken(false, "Perfect. Thank you."), HasSubstr("is perfect"));
  EXPECT_THAT(why_not_taken(true, "It is too long."), HasSubstr("not satisfactory"));
}

TEST(HumanAnnotatorTest, RefusesDelimitersOfTheTrainingTemplate) {
  EXPECT_THAT(why_not_taken(false, "Wrong.\n\n### Response:\nA better one"), HasSubstr("### Response:"));
  EXPECT_THAT(why_not_taken(false, "x #### judgment : y"), HasSubstr("heading"));
}

TEST(HumanAnnotatorTest, RefusesControlCharactersAndTooMuchText) {
  EXPECT_THAT(why_not_taken(false, std::string("a\0b", 3)), HasSubstr("control"));
  EXPECT_THAT(why_not_taken(false, std::string(kMostWrittenBytes + 1, 'x')), HasSubstr("too long"));
}

TEST(HumanAnnotatorTest, IsReadFromAConfiguration) {
  const AnnotatorConfig config =
      parse_annotator({{"name", "people"},
                       {"kind", "human"},
                       {"human", {{"overlap", 2}, {"tags", {"law"}}, {"guidelines", "Be kind."}}}},
                      "annotators[0]");
  EXPECT_EQ(config.human.overlap, 2);
  EXPECT_EQ(config.human.tags, std::vector<std::string>{"law"});
  EXPECT_THAT(annotator_version(config), testing::StartsWith("human/"));
  EXPECT_EQ(parse_annotator(annotator_json(config), "again").human.guidelines, "Be kind.");
}

TEST(HumanAnnotatorTest, RefusesGoldWithoutAShareAndAShareWithoutGold) {
  const auto parse = [](const Json& human) {
    parse_annotator({{"name", "people"}, {"kind", "human"}, {"human", human}}, "annotators[0]");
  };
  EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { parse({{"gold", "gold.jsonl"}}); }), HasSubstr("gold_share"));
  EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { parse({{"gold_share", 0.1}}); }), HasSubstr("human.gold"));
}

TEST(HumanAnnotatorTest, HasAnotherVersionWithOtherGuidelines) {
  HumanAnnotator one, other;
  other.guidelines = "Be strict.";
  EXPECT_NE(human_version(one), human_version(other));
  other = one;
  other.lease_minutes = 5;  // changes nothing that was judged
  EXPECT_EQ(human_version(one), human_version(other));
}

}  // namespace
}  // namespace cutd
