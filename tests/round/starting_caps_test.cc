// Whose word about the caps holds when a run starts: the configuration's, or that of `cutd ledger caps`.
#include "round/starting_caps.h"

#include "round/round_fixture.h"
#include "round/run_start.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SpendCaps kConfigured{1'000'000, 10'000'000, 20'000'000, 50'000'000};

TEST(StartingCapsTest, TheFirstRunTakesTheConfigurations) {
  const StartingCaps start = starting_caps("critic", kConfigured, std::nullopt, std::nullopt);
  EXPECT_EQ(start.caps.day, kConfigured.day);
  EXPECT_THAT(start.notes, IsEmpty());
}

TEST(StartingCapsTest, WhatTheOperatorRaisedOrLoweredStaysWhileTheConfigurationSaysTheSame) {
  SpendCaps held = kConfigured;
  held.day = 80'000'000;
  held.round = 0;
  const StartingCaps start = starting_caps("critic", kConfigured, kConfigured, held);
  EXPECT_EQ(start.caps.day, 80'000'000);
  EXPECT_EQ(start.caps.round, 0);
  EXPECT_EQ(start.caps.total, kConfigured.total);
  EXPECT_THAT(start.notes, ElementsAre(HasSubstr("cap per round stays $0.00"),
                                       AllOf(HasSubstr("annotator critic: its cap per day stays $80.00"),
                                             HasSubstr("the configuration says $20.00"))));
}

TEST(StartingCapsTest, ACapThatTheConfigurationChangesIsTheNewestWord) {
  SpendCaps held = kConfigured;
  held.day = 80'000'000;
  held.total = 90'000'000;
  SpendCaps changed = kConfigured;
  changed.total = 60'000'000;
  const StartingCaps start = starting_caps("critic", changed, kConfigured, held);
  EXPECT_EQ(start.caps.total, 60'000'000);
  EXPECT_EQ(start.caps.day, 80'000'000);  // of the others it said nothing new
  EXPECT_THAT(start.notes, ElementsAre(HasSubstr("cap per day stays $80.00"),
                                       HasSubstr("cap per total is $60.00 from now on, as the configuration says since "
                                                 "this run (it was $90.00)")));
}

class Notes final : public Logger {
 public:
  void log(LogLevel, std::string_view message) override { heard.emplace_back(message); }
  std::vector<std::string> heard;
};

class StartingCapsOfRunsTest : public RoundTest {
 protected:
  void start_run_with(double day) {
    const RunConfig config =
        files_.config({{"annotators",
                        {{{"name", "critic"},
                          {"kind", "llm"},
                          {"llm",
                           {{"base_url", "https://api.example.com/v1"},
                            {"model", "judge-1"},
                            {"price", {{"input", 1}, {"output", 4}}},
                            {"caps", {{"request", 0.1}, {"round", 5}, {"day", day}, {"total", 50}}}}}}}}});
    start_run(daemon().store, config, files_.reader(), scripted_text, notes_);
  }
  std::int64_t cap_per_day() {
    return daemon().read([](Reader& reader) { return find_spend_caps(reader, "critic"); }).value().day;
  }
  void raise(std::int64_t day) {
    daemon().write([&](Writer& writer) {
      SpendCaps caps = find_spend_caps(writer, "critic").value();
      caps.day = day;
      set_spend_caps(writer, "critic", caps);
    });
  }
  Notes notes_;
};

TEST_F(StartingCapsOfRunsTest, ARaisedCapOutlivesTheNextRunsOfTheSameConfiguration) {
  start_run_with(10);
  EXPECT_EQ(cap_per_day(), 10'000'000);
  raise(30'000'000);
  start_run_with(10);
  start_run_with(10);
  EXPECT_EQ(cap_per_day(), 30'000'000);
  EXPECT_THAT(notes_.heard, ::testing::Contains(HasSubstr("stays $30.00")));
  start_run_with(12);
  EXPECT_EQ(cap_per_day(), 12'000'000);
  EXPECT_THAT(notes_.heard.back(), HasSubstr("is $12.00 from now on"));
}

}  // namespace
}  // namespace cutd
