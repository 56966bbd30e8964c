#include "engine/supervision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::HasSubstr;

EngineTimeouts timeouts() {
  EngineTimeouts result;
  result.silence_ms = 60;
  result.load_stall_ms = 900;
  result.stall_ms = 300;
  return result;
}

TEST(LivenessTest, SilenceIsDeath) {
  Liveness liveness(timeouts(), 0);
  EXPECT_EQ(liveness.verdict(60), "");
  EXPECT_THAT(liveness.verdict(61), HasSubstr("silent"));
  liveness.heard(61);
  EXPECT_EQ(liveness.verdict(121), "");
}

TEST(LivenessTest, AStillCounterIsAHang) {
  Liveness liveness(timeouts(), 0);
  for (std::int64_t now = 0; now <= 300; now += 10) liveness.heartbeat({"train", 7}, now);
  EXPECT_EQ(liveness.verdict(300), "");
  liveness.heartbeat({"train", 7}, 301);
  EXPECT_THAT(liveness.verdict(301), HasSubstr("hung"));
  EXPECT_THAT(liveness.verdict(301), HasSubstr("train"));
  liveness.heartbeat({"train", 8}, 302);
  EXPECT_EQ(liveness.verdict(302), "");
}

TEST(LivenessTest, LoadingMayTakeLonger) {
  Liveness liveness(timeouts(), 0);
  liveness.heartbeat({"load", 1}, 0);
  liveness.heartbeat({"load", 1}, 899);
  EXPECT_EQ(liveness.verdict(899), "");
  liveness.heartbeat({"load", 1}, 901);
  EXPECT_THAT(liveness.verdict(901), HasSubstr("hung"));
}

TEST(LivenessTest, AnIdleEngineNeverHangs) {
  Liveness liveness(timeouts(), 0);
  liveness.heartbeat({"idle", 1}, 0);
  liveness.heartbeat({"idle", 1}, 1'000'000);
  EXPECT_EQ(liveness.verdict(1'000'000), "");
}

TEST(LivenessTest, ANewRequestGetsAFreshBudget) {
  Liveness liveness(timeouts(), 0);
  liveness.heartbeat({"train", 7}, 0);
  liveness.request_started(290);
  liveness.heartbeat({"train", 7}, 580);
  EXPECT_EQ(liveness.verdict(580), "");
}

TEST(RestartTest, StartsAtOnceWithoutFailures) {
  const StartDecision decision = decide_start({}, 5'000, {});
  EXPECT_FALSE(decision.refused);
  EXPECT_LE(decision.not_before_ms, 5'000);
}

TEST(RestartTest, WaitsTwiceAsLongAfterEachFailure) {
  const RestartPolicy policy = {.first_delay_ms = 500, .longest_delay_ms = 1'500, .most_failures = 10};
  EXPECT_EQ(decide_start({100}, 100, policy).not_before_ms, 600);
  EXPECT_EQ(decide_start({0, 100}, 100, policy).not_before_ms, 1'100);
  EXPECT_EQ(decide_start({0, 50, 100}, 100, policy).not_before_ms, 1'600);
  EXPECT_EQ(decide_start({0, 50, 60, 100}, 100, policy).not_before_ms, 1'600);
}

TEST(RestartTest, RefusesAfterTooManyFailuresUntilTheWindowHasPassed) {
  const RestartPolicy policy = {.most_failures = 3, .window_ms = 1'000};
  const StartDecision decision = decide_start({10, 20, 30}, 40, policy);
  EXPECT_TRUE(decision.refused);
  EXPECT_EQ(decision.not_before_ms, 1'010);
  EXPECT_FALSE(decide_start({10, 20, 30}, 1'010, policy).refused);
}

}  // namespace
}  // namespace cutd
