#include "cutd/progress_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "cutd/output.h"
#include "support/manual_clock.h"

namespace cutd {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ProgressSnapshot training() {
  ProgressSnapshot now;
  now.run = RunId{1};
  now.round_number = 2;
  now.round_count = 3;
  now.activity = "training";
  now.done = 5;
  now.total = 12;
  now.tokens_per_second = 191.4;
  now.eta_seconds = 72;
  now.detail = "loss 1.2345";
  return now;
}

TEST(ProgressLineTest, ShowsWhereWhatHowFarHowFastAndHowLong) {
  const std::string line = progress_line(training(), 100);
  EXPECT_THAT(line, StartsWith("round 2/3  training  ━"));
  EXPECT_THAT(line, EndsWith("╌  5/12  191 tok/s  1 min 12 s left  loss 1.2345"));
  EXPECT_LE(display_width(line), 100U);
}

TEST(ProgressLineTest, NeverIsWiderThanTheTerminal) {
  for (int width = 0; width < 140; ++width)
    EXPECT_LE(display_width(progress_line(training(), width)), static_cast<std::size_t>(width)) << width;
}

TEST(ProgressLineTest, KeepsTheCountBeforeTheDetail) {
  const std::string line = progress_line(training(), 40);
  EXPECT_THAT(line, HasSubstr("5/12"));
  EXPECT_THAT(line, Not(HasSubstr("loss")));
}

TEST(ProgressLineTest, WithoutATotalThereIsNoBar) {
  ProgressSnapshot now = training();
  now.total = now.done = 0;
  EXPECT_THAT(progress_line(now, 100), Not(HasSubstr("━")));
  EXPECT_THAT(progress_line(now, 100), Not(HasSubstr("0/0")));
}

TEST(ProgressLineTest, OutsideARoundOnlyTheActivityIsNamed) {
  ProgressSnapshot now = training();
  now.round_number = 0;
  now.activity = "final report, kept model";
  EXPECT_THAT(progress_line(now, 100), StartsWith("final report, kept model  ━"));
}

TEST(ProgressLineTest, NothingRunningIsAnEmptyLine) {
  EXPECT_EQ(progress_line(ProgressSnapshot{}, 80), "");
  EXPECT_EQ(progress_sentence(ProgressSnapshot{}), "");
}

TEST(ProgressLineTest, AFinishedActivityHasNoTimeLeft) {
  ProgressSnapshot now = training();
  now.done = now.total;
  now.eta_seconds = 0;
  EXPECT_THAT(progress_line(now, 100), Not(HasSubstr("left")));
}

TEST(ProgressBarTest, FillsInProportionAndNeverOverflows) {
  EXPECT_EQ(progress_bar(0, 4), "╌╌╌╌");
  EXPECT_EQ(progress_bar(0.5, 4), "━━╌╌");
  EXPECT_EQ(progress_bar(1, 4), "━━━━");
  EXPECT_EQ(progress_bar(1.7, 4), "━━━━");
  EXPECT_EQ(progress_bar(-1, 4), "╌╌╌╌");
}

TEST(ProgressSentenceTest, SaysTheSameInWords) {
  EXPECT_EQ(progress_sentence(training()), "round 2/3 training: 5 of 12, 191 tok/s, 1 min 12 s left, loss 1.2345");
}

TEST(ProgressJsonTest, ComesBackAsItWas) {
  const ProgressSnapshot back = progress_of(progress_json(training()));
  EXPECT_EQ(progress_line(back, 100), progress_line(training(), 100));
  EXPECT_EQ(back.run, RunId{1});
  EXPECT_FALSE(progress_of(progress_json(ProgressSnapshot{})).eta_seconds.has_value());
  EXPECT_THROW(progress_of(Json::object()), Error);
}

class ProgressViewTest : public ::testing::Test {
 protected:
  ProgressView view(int width) {
    return ProgressView([this](std::string_view text) { screen_ += text; }, width, clock_);
  }
  std::string taken() { return std::exchange(screen_, ""); }

  ManualClock clock_;
  std::string screen_;
};

TEST_F(ProgressViewTest, RedrawsOneLineOnATerminal) {
  ProgressView live = view(80);
  live.show(training());
  EXPECT_THAT(taken(), StartsWith("\rround 2/3"));
  live.show(training());
  EXPECT_EQ(taken(), "");  // nothing new
  live.say("round 2 promoted");
  EXPECT_THAT(taken(), StartsWith("\rround 2 promoted\x1b[K\nround 2/3"));
  live.finish();
  EXPECT_EQ(taken(), "\r\x1b[K");
}

TEST_F(ProgressViewTest, WritesWholeLinesAndFewOfThemToAFile) {
  ProgressView plain = view(0);
  ProgressSnapshot now = training();
  plain.show(now);
  EXPECT_THAT(taken(), EndsWith("loss 1.2345\n"));
  now.done = 6;
  plain.show(now);
  EXPECT_EQ(taken(), "");  // less than ten seconds later
  clock_.advance_ms(10'001);
  plain.show(now);
  EXPECT_THAT(taken(), HasSubstr("6 of 12"));
  now.activity = "evaluating round 2";
  now.done = 0;
  plain.show(now);
  EXPECT_THAT(taken(), HasSubstr("evaluating round 2"));
  plain.say("round 2 promoted");
  EXPECT_EQ(taken(), "round 2 promoted\n");
  plain.finish();
  EXPECT_EQ(taken(), "");
}

}  // namespace
}  // namespace cutd
