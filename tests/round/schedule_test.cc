#include "round/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/cron.h"
#include "core/yaml.h"
#include "round/run_config.h"
#include "support/error_of.h"
#include "support/folders.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMidnight = 1'774'656'000;  // 2026-03-28T00:00:00Z; summer time begins the next night

Schedule nightly() {
  Schedule schedule;
  schedule.name = "night";
  schedule.cron = "0 2 * * *";
  schedule.until = "0 6 * * *";
  return schedule;
}

// What is decided, in words.
std::string decided(const Schedule& schedule, const ScheduleFacts& facts) {
  const auto utc = [](std::int64_t seconds) { return format_utc(seconds * 1'000'000).substr(5, 11); };
  const ScheduleStep step = decide_schedule(schedule, facts);
  if (const auto* wait = std::get_if<schedule_step::Wait>(&step)) return "wait " + utc(wait->until);
  if (const auto* start = std::get_if<schedule_step::Start>(&step))
    return "start " + utc(start->due) + (start->ends_at ? " to " + utc(*start->ends_at) : "");
  if (const auto* queue = std::get_if<schedule_step::Queue>(&step)) return "queue " + utc(queue->due);
  const auto& pass = std::get<schedule_step::Pass>(step);
  return "pass " + utc(pass.due) + ": " + pass.reason;
}

TEST(ScheduleTest, WaitsForItsTimeAndStarts) {
  EXPECT_EQ(decided(nightly(), {kMidnight, kMidnight - kDay / 2, {}, false}), "wait 03-28T02:00");
  EXPECT_EQ(decided(nightly(), {kMidnight + 2 * kHour, kMidnight, {}, false}), "start 03-28T02:00 to 03-28T06:00");
  EXPECT_EQ(decided(nightly(), {kMidnight + 2 * kHour, kMidnight + 2 * kHour, {}, false}), "wait 03-29T02:00");
}

TEST(ScheduleTest, SkipsOrQueuesWhileARunIsGoing) {
  Schedule schedule = nightly();
  const ScheduleFacts busy{kMidnight + 2 * kHour, kMidnight, {}, true};
  EXPECT_EQ(decided(schedule, busy), "pass 03-28T02:00: another run was still going");
  schedule.if_running = "queue";
  EXPECT_EQ(decided(schedule, busy), "queue 03-28T02:00");
  const std::int64_t due = kMidnight + 2 * kHour;
  EXPECT_EQ(decided(schedule, {due + kHour, due, due, true}), "wait 03-28T06:00");
  EXPECT_EQ(decided(schedule, {due + kHour, due, due, false}), "start 03-28T02:00 to 03-28T06:00");
  EXPECT_THAT(decided(schedule, {due + 4 * kHour, due, due, false}), HasSubstr("pass 03-28T02:00: its end"));
}

TEST(ScheduleTest, AfterDowntimeRunsTheLastTimeOrNone) {
  Schedule schedule = nightly();
  const ScheduleFacts back{kMidnight + 3 * kHour, kMidnight - 5 * kDay, {}, false};
  EXPECT_EQ(decided(schedule, back), "start 03-28T02:00 to 03-28T06:00");
  schedule.after_downtime = "skip";
  EXPECT_EQ(decided(schedule, back), "pass 03-28T02:00: no daemon ran at that time");
  schedule.after_downtime = "run";
  const ScheduleFacts too_late{kMidnight + 7 * kHour, kMidnight - 5 * kDay, {}, false};
  EXPECT_THAT(decided(schedule, too_late), HasSubstr("its end"));
  schedule.until.clear();
  EXPECT_EQ(decided(schedule, too_late), "start 03-28T02:00");
}

TEST(ScheduleTest, ABusyMinuteIsNoDowntime) {
  Schedule schedule = nightly();
  schedule.after_downtime = "skip";
  EXPECT_EQ(decided(schedule, {kMidnight + 2 * kHour + 200, kMidnight, {}, false}), "start 03-28T02:00 to 03-28T06:00");
}

TEST(ScheduleTest, SummerTimeShortensTheNight) {
  Schedule schedule = nightly();
  schedule.zone = "Europe/Berlin";
  const std::int64_t evening = kMidnight + 20 * kHour;                              // 2026-03-28
  EXPECT_EQ(decided(schedule, {evening, evening, {}, false}), "wait 03-29T01:00");  // 02:00 does not exist: 03:00
  const std::int64_t due = kMidnight + kDay + kHour;
  EXPECT_EQ(decided(schedule, {due, evening, {}, false}), "start 03-29T01:00 to 03-29T04:00");
  EXPECT_EQ(decided(schedule, {due, due, {}, false}), "wait 03-30T00:00");  // and not again at 02:00 of the same night
}

TEST(ScheduleTest, WinterTimeLengthensTheNightAndRunsOnce) {
  Schedule schedule = nightly();
  schedule.cron = "30 2 * * *";
  schedule.zone = "Europe/Berlin";
  const std::int64_t evening = 1'792'868'400;  // 2026-10-24T19:00:00Z
  const std::int64_t due = 1'792'888'200;      // 2026-10-25T00:30:00Z, the first 02:30
  EXPECT_EQ(decided(schedule, {evening, evening, {}, false}), "wait 10-25T00:30");
  EXPECT_EQ(decided(schedule, {due, evening, {}, false}), "start 10-25T00:30 to 10-25T05:00");
  EXPECT_EQ(decided(schedule, {due + kHour, due, {}, false}), "wait 10-26T01:30");  // the second 02:30 has passed
}

TEST(ScheduleTest, AClockThatGoesBackStartsNothingTwice) {
  const std::int64_t due = kMidnight + 2 * kHour;
  EXPECT_EQ(decided(nightly(), {due - kHour, due, {}, false}), "wait 03-29T02:00");
}

TEST(ScheduleTest, ManyMissedTimesAreOne) {
  Schedule schedule = nightly();
  schedule.cron = "* * * * *";
  schedule.until.clear();
  EXPECT_EQ(decided(schedule, {kMidnight, kMidnight - 30 * kDay, {}, false}), "start 03-28T00:00");
}

TEST(ScheduleTest, ACycleAddsItsLimits) {
  Schedule schedule = nightly();
  schedule.rounds = 3;
  schedule.budget_usd = 12.5;
  EXPECT_THAT(cycle_overrides(schedule, kMidnight),
              ElementsAre(Pair("run.rounds", "3"), Pair("run.budget_usd", "12.5"),
                          Pair("run.end_time", "2026-03-28T00:00:00Z"), Pair("run.start_from", "kept")));
}

TEST(ScheduleTest, CyclesBuildOnOneAnotherUnlessItSaysOtherwise) {
  Schedule schedule = nightly();
  EXPECT_THAT(cycle_overrides(schedule, std::nullopt), ElementsAre(Pair("run.start_from", "kept")));
  schedule.start_from = "base";
  EXPECT_THAT(cycle_overrides(schedule, std::nullopt), ElementsAre(Pair("run.start_from", "base")));
}

TEST(ScheduleTest, TheExampleIsGoodAndSoAreItsCycles) {
  const auto schedules = read_schedules(source_folder() / "examples/schedules.yaml");
  ASSERT_EQ(schedules.size(), 2U);
  for (const Schedule& schedule : schedules) {
    const std::int64_t due = next_occurrence(schedule.cron, schedule.zone, kMidnight).at;
    std::vector<ConfigOverride> overrides;
    for (const auto& [key, text] : cycle_overrides(schedule, cycle_end(schedule, due)))
      overrides.push_back({key, text});
    const RunConfig config = parse_run_config(read_yaml_file(schedule.config), schedule.config, overrides);
    EXPECT_EQ(config.limits.start_from, "kept");
    EXPECT_GT(parse_end_time(config.limits.end_time, "example"), due * 1'000'000);
  }
}

TEST(ScheduleTest, IsReadFromYamlAndStrictly) {
  const auto parse = [](const std::string& yaml) {
    return parse_schedules(parse_yaml(yaml, "s.yaml"), "s.yaml", "/etc/cutd");
  };
  const std::vector<Schedule> schedules = parse(
      "schedules:\n"
      "  - {name: night, config: run.yaml, at: \"02:30\", zone: Europe/Berlin, until: \"06:00\", rounds: 4}\n"
      "  - {name: week-end, config: /x/y.yaml, cron: \"0 8 * * 6\", if_running: queue, after_downtime: skip}\n");
  ASSERT_EQ(schedules.size(), 2U);
  EXPECT_EQ(schedules[0].cron, "30 2 * * *");
  EXPECT_EQ(schedules[0].until, "0 6 * * *");
  EXPECT_EQ(schedules[0].config, "/etc/cutd/run.yaml");
  EXPECT_EQ(schedules[1].config, "/x/y.yaml");
  const auto refused = [&](const std::string& item) {
    return error_of(ErrorCode::kUsage, [&] { parse("schedules:\n  - " + item + "\n"); });
  };
  EXPECT_THAT(refused("{name: a, config: c, at: \"25:00\"}"), HasSubstr("schedules[0]"));
  EXPECT_THAT(refused("{name: a, config: c}"), HasSubstr("\"at\""));
  EXPECT_THAT(refused("{name: a, config: c, at: \"02:00\", cron: \"0 2 * * *\"}"), HasSubstr("either"));
  EXPECT_THAT(refused("{name: a, config: c, at: \"02:00\", zone: Berlin}"), HasSubstr("Berlin"));
  EXPECT_THAT(refused("{name: a, config: c, at: \"02:00\", start_from: yesterday}"), HasSubstr("start_from"));
  EXPECT_THAT(refused("{name: a, at: \"02:00\"}"), HasSubstr("config"));
  EXPECT_THAT(refused("{name: a, config: c, at: \"02:00\", rouns: 1}"), HasSubstr("rounds"));
  EXPECT_THAT(refused("{name: A b, config: c, at: \"02:00\"}"), HasSubstr("\"name\""));
}

}  // namespace
}  // namespace cutd
