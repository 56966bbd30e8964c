#include "round/progress.h"

#include <thread>

#include "round/round_fixture.h"
#include "round/wakeup.h"

namespace cutd {
namespace {

using std::chrono::milliseconds;

ProgressSnapshot activity(std::int64_t total) {
  ProgressSnapshot snapshot;
  snapshot.activity = "generating";
  snapshot.total = total;
  return snapshot;
}

TEST(ProgressBoardTest, TellsTheTimeLeftAtThePaceSinceItBegan) {
  HandClock clock;
  ProgressBoard board(clock);
  board.begin(activity(100), 20);  // found after a restart: not this life's pace
  EXPECT_EQ(board.snapshot().done, 20);
  EXPECT_EQ(board.snapshot().eta_seconds, std::nullopt);
  clock.boot += 10'000;
  board.advance(40, 12.5, "unit 2 of 5");
  const ProgressSnapshot now = board.snapshot();
  EXPECT_EQ(now.eta_seconds, 30);
  EXPECT_EQ(now.elapsed_seconds, 10);
  EXPECT_EQ(now.tokens_per_second, 12.5);
  EXPECT_EQ(now.detail, "unit 2 of 5");
  board.idle();
  EXPECT_EQ(board.snapshot().activity, "");
}

TEST(ProgressBoardTest, KeepsTheNewestMessagesInOrder) {
  HandClock clock;
  ProgressBoard board(clock);
  for (int i = 1; i <= 300; ++i) board.say(std::to_string(i));
  const auto all = board.messages_after(0);
  ASSERT_EQ(all.size(), 256u);
  EXPECT_EQ(all.front().number, 45u);
  EXPECT_EQ(all.back().text, "300");
  EXPECT_EQ(board.messages_after(299).size(), 1u);
}

TEST(ProgressBoardTest, WakesWhoWaitsForAChange) {
  const SystemClock clock;
  ProgressBoard board(clock);
  const std::uint64_t version = board.snapshot().version;
  std::jthread writer([&] { board.say("something"); });
  EXPECT_NE(board.wait_for_change(version, std::chrono::seconds(20)).version, version);
  const std::uint64_t latest = board.snapshot().version;
  EXPECT_EQ(board.wait_for_change(latest, milliseconds(1)).version, latest);
}

TEST(WakeupTest, ANudgeGivenWhileNobodyWaitsIsNotLost) {
  Wakeup wakeup;
  const std::uint64_t seen = wakeup.count();
  wakeup.nudge();
  EXPECT_NE(wakeup.wait(seen, std::chrono::hours(1)), seen);
  EXPECT_EQ(wakeup.wait(wakeup.count(), milliseconds(1)), wakeup.count());
}

}  // namespace
}  // namespace cutd
