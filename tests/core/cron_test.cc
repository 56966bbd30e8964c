#include "core/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/clock.h"
#include "support/error_of.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kEveningBeforeSummerTime = 1'774'724'400;  // 2026-03-28T19:00:00Z
constexpr std::int64_t kEveningBeforeWinterTime = 1'792'868'400;  // 2026-10-24T19:00:00Z

std::string utc(std::int64_t seconds) { return format_utc(seconds * 1'000'000); }

std::string next(const std::string& cron, const std::string& zone, std::int64_t after) {
  return utc(next_occurrence(cron, zone, after).at);
}

TEST(CronTest, ComesAtTheLocalTimeOfItsZone) {
  ASSERT_EQ(utc(kEveningBeforeSummerTime), "2026-03-28T19:00:00Z");
  EXPECT_EQ(next("0 4 * * *", "Europe/Berlin", kEveningBeforeSummerTime), "2026-03-29T02:00:00Z");  // already summer
  EXPECT_EQ(next("0 1 * * *", "Europe/Berlin", kEveningBeforeSummerTime), "2026-03-29T00:00:00Z");  // still winter
  EXPECT_EQ(next("0 4 * * *", "UTC", kEveningBeforeSummerTime), "2026-03-29T04:00:00Z");
  EXPECT_THAT(next_occurrence("0 4 * * *", "Europe/Berlin", kEveningBeforeSummerTime).local, HasSubstr("CEST"));
}

TEST(CronTest, ATimeThatSummerTimeSkipsComesAfterTheGapAndOnce) {
  const Occurrence first = next_occurrence("30 2 * * *", "Europe/Berlin", kEveningBeforeSummerTime);
  EXPECT_EQ(utc(first.at), "2026-03-29T01:00:00Z");  // 03:00 local, the first instant that there is
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", first.at), "2026-03-30T00:30:00Z");
}

TEST(CronTest, ATimeThatWinterTimeRepeatsComesOnce) {
  ASSERT_EQ(utc(kEveningBeforeWinterTime), "2026-10-24T19:00:00Z");
  const Occurrence first = next_occurrence("30 2 * * *", "Europe/Berlin", kEveningBeforeWinterTime);
  EXPECT_EQ(utc(first.at), "2026-10-25T00:30:00Z");
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", first.at), "2026-10-26T01:30:00Z");
}

TEST(CronTest, IsStrictlyAfter) {
  const std::int64_t at = next_occurrence("0 4 * * *", "UTC", kEveningBeforeSummerTime).at;
  EXPECT_EQ(next_occurrence("0 4 * * *", "UTC", at).at, at + 86'400);
  EXPECT_EQ(next_occurrence("0 4 * * *", "UTC", at - 1).at, at);
  EXPECT_EQ(next("0 4 * * 1-5", "UTC", kEveningBeforeSummerTime), "2026-03-30T04:00:00Z");  // a Monday
}

TEST(CronTest, SaysWhatIsWrong) {
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { next_occurrence("0 4 * *", "UTC", 0); }), HasSubstr("0 4 * *"));
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { next_occurrence("0 4 * * *", "Mars/Base", 0); }),
              HasSubstr("Mars/Base"));
  EXPECT_EQ(daily_cron("02:30"), "30 2 * * *");
  for (const char* wrong : {"", "2:30", "24:00", "12:60", "ab:cd", "02:30:00"})
    EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { daily_cron(wrong); }), HasSubstr("HH:MM")) << wrong;
}

}  // namespace
}  // namespace cutd
