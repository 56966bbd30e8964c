#include "server/queue_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kPositive = JudgmentLabel::kPositive;
constexpr auto kNegative = JudgmentLabel::kNegative;

QueueTask a_task() {
  QueueTask task;
  task.id = {7};
  task.item = std::string(32, 'a');
  task.round = {3};
  task.response = {40};
  task.instruction = "Name a fruit.";
  task.response_text = "A \"pear\".";
  task.state = "settled";
  task.need = 2;
  task.suggestion = Suggestion{kNegative, "Too short.", "editor"};
  task.work = {{"user 5", "done", kNegative, "Say which one.\nAnd why.", true, 12.5, "", 1},
               {"user 6", "done", kPositive, "Perfect.", true, std::nullopt, "", 2},
               {"user 7", "surplus", kNegative, "Late.", true, 3.0, "", 3},
               {"user 8", "skipped", std::nullopt, "", false, std::nullopt, "not my field", 4},
               {"user 9", "expired", std::nullopt, "half a dra", false, std::nullopt, "", 5}};
  return task;
}

// What comes back is what people settled or skipped, by whom; a draft stays at home.
void expect_round_trip(const std::string& format) {
  const std::vector<ImportedWork> work = import_records(export_tasks({a_task()}, format), format);
  ASSERT_EQ(work.size(), 4u);
  for (std::size_t i = 0; i < work.size(); ++i) {
    const TaskWork was = a_task().work[i];
    EXPECT_EQ(work[i].item, a_task().item);
    EXPECT_EQ(work[i].person, was.person);
    EXPECT_EQ(work[i].skipped, was.state == "skipped");
    EXPECT_EQ(work[i].submission.text, work[i].skipped ? was.skip_reason : was.text);
    if (!work[i].skipped) {
      EXPECT_EQ(work[i].submission.label, *was.label);
    }
  }
}

TEST(QueueExchangeTest, TakesBackWhatItWroteForArgilla) { expect_round_trip("argilla"); }

TEST(QueueExchangeTest, TakesBackWhatItWroteForLabelStudio) {
  expect_round_trip("label-studio");
  const auto work = import_records(export_tasks({a_task()}, "label-studio"), "label-studio");
  EXPECT_EQ(work[0].submission.seconds_spent, 12.5);
}

TEST(QueueExchangeTest, WritesARecordAsArgillaHasIt) {
  const Json record = export_tasks({a_task()}, "argilla").at(0);
  EXPECT_EQ(record.at("fields").at("response"), "A \"pear\".");
  EXPECT_EQ(record.at("status"), "completed");
  EXPECT_EQ(record.at("suggestions").at(0).at("agent"), "editor");
  EXPECT_EQ(record.at("responses").at(0).at("status"), "submitted");
  EXPECT_EQ(record.at("responses").at(0).at("values").at("label").at("value"), "negative");
  EXPECT_EQ(record.at("responses").at(3).at("status"), "discarded");
  EXPECT_EQ(record.at("responses").at(4).at("status"), "draft");
}

TEST(QueueExchangeTest, WritesATaskAsLabelStudioHasIt) {
  const Json task = export_tasks({a_task()}, "label-studio").at(0);
  EXPECT_EQ(task.at("data").at("instruction"), "Name a fruit.");
  const Json& first = task.at("annotations").at(0);
  EXPECT_EQ(first.at("lead_time"), 12.5);
  EXPECT_EQ(first.at("result").at(0).at("value").at("choices").at(0), "negative");
  EXPECT_EQ(first.at("result").at(1).at("type"), "textarea");
  EXPECT_TRUE(task.at("annotations").at(3).at("was_cancelled").get<bool>());
  EXPECT_EQ(task.at("predictions").at(0).at("model_version"), "editor");
}

TEST(QueueExchangeTest, NamesPeopleOfOtherToolsByTheirIdAlone) {
  const Json tasks =
      Json::array({{{"data", {{"cutd_item", std::string(32, 'b')}}},
                    {"annotations", Json::array({{{"completed_by", {{"id", 12}, {"email", "anna@example.org"}}},
                                                  {"was_cancelled", true},
                                                  {"result", Json::array()}}})}}});
  EXPECT_EQ(import_records(tasks, "label-studio").at(0).person, "label-studio 12");
}

TEST(QueueExchangeTest, TakesFlatArgillaValuesToo) {
  const Json records =
      Json::array({{{"id", std::string(32, 'c')},
                    {"responses", Json::array({{{"user_id", "3f2a"},
                                                {"status", "submitted"},
                                                {"values", {{"label", "negative"}, {"judgment", "Too dry."}}}}})}}});
  const auto work = import_records(records, "argilla");
  EXPECT_EQ(work.at(0).person, "argilla 3f2a");
  EXPECT_EQ(work.at(0).submission.text, "Too dry.");
}

TEST(QueueExchangeTest, RefusesAJudgmentThatNobodyCouldHaveSubmitted) {
  const auto import = [](const char* label, const char* text) {
    const Json records = Json::array(
        {{{"id", "x"},
          {"responses",
           Json::array(
               {{{"user_id", "3f"}, {"status", "submitted"}, {"values", {{"label", label}, {"judgment", text}}}}})}}});
    return error_of(ErrorCode::kBadInput, [&] { import_records(records, "argilla"); });
  };
  EXPECT_THAT(import("negative", ""), HasSubstr("record 1: say in words"));
  EXPECT_THAT(import("negative", "### Response: x"), HasSubstr("### Response:"));
  EXPECT_THAT(import("great", "x"), HasSubstr("record 1"));
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [] { import_records(Json::array(), "excel"); }), HasSubstr("excel"));
}

}  // namespace
}  // namespace cutd
