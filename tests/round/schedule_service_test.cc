// One look at a time, on a clock that the test moves.
#include "round/schedule_service.h"

#include <optional>

#include "core/files.h"
#include "round/round_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::int64_t kMidnightUtc = 1'774'656'000;  // 2026-03-28T00:00:00Z
constexpr std::int64_t kOneHour = 3600;

class ScheduleServiceTest : public testing::Test {
 protected:
  ScheduleServiceTest() {
    at(kMidnightUtc);
    write("if_running: queue");
    open();
  }
  void open() {
    service_.reset();
    store_.reset();
    store_.emplace(folder_ / "data", clock_, log_);
    service_.emplace(
        folder_ / "schedules.yaml", *store_,
        [this](const Schedule&, std::optional<std::int64_t> ends_at, const CycleOrigin& origin) {
          ends_at_ = ends_at;
          return start(origin);
        },
        clock_, log_);
  }
  void write(const std::string& more) {
    write_file_durably(
        folder_ / "schedules.yaml",
        "schedules:\n  - {name: night, config: run.yaml, at: \"02:00\", until: \"06:00\", " + more + "}\n");
  }
  void at(std::int64_t seconds) { clock_.wall = seconds * 1'000'000; }
  RunId start(const CycleOrigin& origin) {
    if (refuse_) throw Error(ErrorCode::kUsage, "run.yaml: no good");
    NewRun run;
    run.config = {{"cycle", {{"schedule", origin.schedule}, {"due", origin.due}}}};
    run.base_model_hash = "base";
    run.round_count = 1;
    const RunId id = store_->write([&](Writer& writer) { return create_run(writer, run); });
    if (crash_) throw std::runtime_error("killed");
    return id;
  }
  void end(RunId run) {
    store_->write([&](Writer& writer) {
      move_run(writer, run, RunState::kActive, RunState::kCompleted, "its one round is done");
    });
  }
  std::vector<cutd::Run> runs() {
    return store_->read([](Reader& reader) { return list_runs(reader); });
  }
  std::vector<CycleRecord> history() { return read_schedule_states(folder_ / "data").at("night").history; }

  const TemporaryDirectory folder_{fast_folder()};
  HandClock clock_;
  NullLogger log_;
  std::optional<Store> store_;
  std::optional<ScheduleService> service_;
  std::optional<std::int64_t> ends_at_;
  bool refuse_ = false;
  bool crash_ = false;
};

TEST_F(ScheduleServiceTest, StartsACycleAtItsTimeAndOnce) {
  service_->look();
  EXPECT_THAT(runs(), SizeIs(0));
  at(kMidnightUtc + 2 * kOneHour);
  service_->look();
  service_->look();
  ASSERT_THAT(runs(), SizeIs(1));
  EXPECT_EQ(ends_at_, kMidnightUtc + 6 * kOneHour);
  EXPECT_EQ(cycle_origin(runs()[0])->due, kMidnightUtc + 2 * kOneHour);
  EXPECT_EQ(history().at(0).what, "started");
  end(runs()[0].id);
  open();
  service_->look();
  EXPECT_THAT(runs(), SizeIs(1));
  at(kMidnightUtc + 26 * kOneHour);
  service_->look();
  EXPECT_THAT(runs(), SizeIs(2));
}

TEST_F(ScheduleServiceTest, ACrashAfterTheRunWasMadeStartsNoSecondOne) {
  service_->look();
  at(kMidnightUtc + 2 * kOneHour);
  crash_ = true;
  EXPECT_THROW(service_->look(), std::runtime_error);
  crash_ = false;
  open();
  end(runs().at(0).id);
  service_->look();
  EXPECT_THAT(runs(), SizeIs(1));
}

TEST_F(ScheduleServiceTest, AQueuedCycleStartsWhenTheRunEndsAlsoAfterARestart) {
  service_->look();
  const RunId other = start({"by hand", 0});
  at(kMidnightUtc + 2 * kOneHour);
  service_->look();
  EXPECT_EQ(history().back().what, "queued");
  open();
  at(kMidnightUtc + 3 * kOneHour);
  service_->look();
  EXPECT_THAT(runs(), SizeIs(1));
  end(other);
  service_->look();
  ASSERT_THAT(runs(), SizeIs(2));
  EXPECT_EQ(history().back().what, "started");
  EXPECT_EQ(history().back().due, kMidnightUtc + 2 * kOneHour);
}

TEST_F(ScheduleServiceTest, ASkippedTimeStaysSkippedAndSaysWhy) {
  write("if_running: skip");
  service_->look();
  const RunId other = start({"by hand", 0});
  at(kMidnightUtc + 2 * kOneHour);
  service_->look();
  EXPECT_EQ(history().back().what, "passed");
  EXPECT_THAT(history().back().reason, HasSubstr("still going"));
  end(other);
  open();
  service_->look();
  EXPECT_THAT(runs(), SizeIs(1));
}

TEST_F(ScheduleServiceTest, AConfigurationThatIsNoGoodIsAFailedCycleNotALoop) {
  service_->look();
  refuse_ = true;
  at(kMidnightUtc + 2 * kOneHour);
  service_->look();
  service_->look();
  EXPECT_THAT(history(), SizeIs(1));
  EXPECT_EQ(history().back().what, "failed");
  EXPECT_THAT(history().back().reason, HasSubstr("run.yaml"));
}

TEST_F(ScheduleServiceTest, ABrokenFileStartsNothingUntilItIsMended) {
  service_->look();
  write_file_durably(folder_ / "schedules.yaml", "schedules: 3\n");
  at(kMidnightUtc + 2 * kOneHour);
  service_->look();
  EXPECT_THAT(runs(), SizeIs(0));
  write("rounds: 2");
  service_->look();
  EXPECT_THAT(runs(), SizeIs(1));
}

TEST_F(ScheduleServiceTest, ItsThreadStopsAtOnce) {
  service_->begin();
  service_->stop();
}

}  // namespace
}  // namespace cutd
