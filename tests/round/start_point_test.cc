// Runs that build on one another: what the first round trains on, what it is measured against, what is fresh.
#include "round/start_point.h"

#include <set>

#include "round/adapter_files.h"
#include "round/frozen_run.h"
#include "round/read_snapshot.h"
#include "round/round_fixture.h"
#include "round/run_commands.h"
#include "round/run_summary.h"
#include "weights/peft.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StartPointTest : public RoundTest {
 protected:
  // Every round is promoted, or none with rejecting(): no response is as short as its band asks.
  RunId start_from(const std::string& what, std::int64_t rounds = 1, Json changes = Json::object()) {
    changes["run"]["start_from"] = what;
    changes["run"]["rounds"] = rounds;
    return start(changes);
  }
  RunId finished(const std::string& what, std::int64_t rounds = 1, const Json& changes = Json::object()) {
    const RunId run = start_from(what, rounds, changes);
    EXPECT_EQ(work(run), RunState::kCompleted);
    return run;
  }
  static Json rejecting() { return {{"evaluation", {{"guards", {{"mean_words_high", 0.001}}}}}}; }

  std::optional<AdapterId> kept(RunId run) {
    return daemon().read([&](Reader& reader) { return serving_adapter(reader, run); });
  }
  Adapter adapter(AdapterId id) {
    return daemon().read([&](Reader& reader) { return find_adapter(reader, id); }).value();
  }
  Adapter adapter(RunId run, std::int64_t number, AdapterKind kind) {
    const RoundId round = daemon().round(run, number).id;
    return daemon().read([&](Reader& reader) { return find_adapter(reader, round, kind); }).value();
  }
  RunSummary summary(RunId run) {
    return daemon().read([&](Reader& reader) { return summarize_run(reader, run, daemon().store.data_dir()); });
  }
  std::set<std::string> drawn(RunId run) {
    return daemon().read([&](Reader& reader) {
      std::set<std::string> texts;
      for (const Round& round : list_rounds(reader, run)) {
        for (const Response& response : list_responses(reader, round.id))
          texts.insert(find_instruction(reader, response.instruction)->text);
      }
      return texts;
    });
  }
  // Nothing of a refused run is stored.
  std::string refusal(ErrorCode code, const std::string& what) {
    const auto count = [&] { return daemon().read([](Reader& reader) { return list_runs(reader).size(); }); };
    const std::size_t before = count();
    const std::string message = error_of(code, [&] { start_from(what); });
    EXPECT_EQ(count(), before);
    return message;
  }
  void take_another_base() {
    write_raw(files_.model / "model.safetensors",
              safetensors_bytes(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", std::string(4, '\1')));
  }
};

TEST_F(StartPointTest, RoundOneTrainsOnWhatTheLastRunKept) {
  const RunId first = finished("base", 2);
  const RunId second = start_from("kept");
  EXPECT_EQ(kept(second), kept(first)) << "it serves what it builds on until it has something better";
  work(second);
  const Adapter parent = adapter(*kept(first));
  EXPECT_EQ(daemon().round(second, 1).parent, parent.id);
  EXPECT_THAT(engine_.trainings().back().model.adapter_dir, HasSubstr(parent.path));
  const Adapter made = adapter(second, 1, AdapterKind::kCumulative);
  EXPECT_EQ(made.parent, parent.id);
  EXPECT_EQ(kept(second), made.id);
  const ModelConfig config = read_model_config(files_.model);
  const auto load = [&](const Adapter& one) { return read_adapter(daemon().store.data_dir() / one.path, config); };
  EXPECT_EQ(load(made).r, 6) << "two rounds of the first run and one of the second";
  EXPECT_EQ(made.hash, adapter_hash(concatenate_adapters(load(parent), load(adapter(second, 1, AdapterKind::kDelta)))));
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(StartPointTest, ItsSummarySaysWhatItBuildsOnAndComparesWithTheBase) {
  const RunId first = finished("base", 2);
  const RunId second = finished("kept");
  const RunSummary before = summary(first);
  const RunSummary after = summary(second);
  EXPECT_FALSE(before.start);
  ASSERT_TRUE(after.start);
  EXPECT_EQ(start_words(*after.start), "adapter " + std::to_string(kept(first)->value) + " (round 2 of run 1)");
  EXPECT_EQ(run_summary_json(after).at("start").at("hash"), adapter(*kept(first)).hash);
  ASSERT_TRUE(after.baseline && after.rounds[0].gate_parent && after.report_untrained && after.report_kept);
  EXPECT_EQ(after.baseline->evaluation, before.baseline->evaluation) << "untrained stays the base";
  EXPECT_EQ(after.rounds[0].gate_parent->evaluation, before.rounds[1].gate->evaluation);
  EXPECT_EQ(after.report_untrained->evaluation, before.report_untrained->evaluation);
  EXPECT_NE(after.report_kept->evaluation, before.report_kept->evaluation);
}

TEST_F(StartPointTest, TheBaseIsMeasuredOnAGateSetThatItHasNotSeen) {
  finished("base");
  files_.files["other.jsonl"] =
      instruction_lines({"Explain what a drum is used for.", "Explain what a map is used for."});
  const RunId second = finished("kept", 1, {{"data", {{"gate", "other.jsonl"}}}});
  const RunSummary after = summary(second);
  ASSERT_TRUE(after.baseline && after.rounds[0].gate_parent && after.rounds[0].difference);
  EXPECT_EQ(after.baseline->share.count, 2);
  EXPECT_NE(after.baseline->evaluation, after.rounds[0].gate_parent->evaluation);
  EXPECT_THAT(after.rounds[0].guard_results, SizeIs(3));
}

TEST_F(StartPointTest, ARunThatPromotesNothingKeepsWhatItStartedFrom) {
  const RunId first = finished("base");
  const RunId second = finished("kept", 2, rejecting());
  EXPECT_EQ(daemon().round(second, 2).outcome, Outcome::kRejected);
  EXPECT_EQ(daemon().round(second, 2).parent, kept(first));
  EXPECT_EQ(kept(second), kept(first));
  EXPECT_EQ(summary(second).report_kept->evaluation, summary(first).report_kept->evaluation);
  EXPECT_THAT(daemon().check(), IsEmpty());
  const RunId third = finished("kept");
  EXPECT_EQ(daemon().round(third, 1).parent, kept(first)) << "through the run between";
}

TEST_F(StartPointTest, WithoutAKeptAdapterItIsTheBase) {
  finished("base", 1, rejecting());
  const RunId run = finished("kept");
  EXPECT_FALSE(daemon().round(run, 1).parent);
  EXPECT_FALSE(summary(run).start);
}

TEST_F(StartPointTest, NeitherARunThatKeptNothingNorACancelledOneCounts) {
  const RunId first = finished("base");
  finished("base", 1, rejecting());
  const RunId cancelled = start_from("base", 2);
  work(cancelled, [&] { return kept(cancelled).has_value(); });
  daemon().write([&](Writer& writer) { cancel_run(writer, cancelled, "test"); });
  const RunId run = start_from("kept");
  EXPECT_EQ(kept(run), kept(first));
}

TEST_F(StartPointTest, WhatAFailedRunPromotedIsKept) {
  const RunId failed = start_from("base", 2);
  work(failed, [&] { return kept(failed).has_value(); });
  daemon().write([&](Writer& writer) { move_run(writer, failed, RunState::kActive, RunState::kFailed, "no engine"); });
  EXPECT_EQ(kept(start_from("kept")), kept(failed));
}

TEST_F(StartPointTest, AnotherBaseStartsAnewAndRefusesAnAdapterByItsId) {
  const RunId first = finished("base");
  take_another_base();
  EXPECT_FALSE(kept(start_from("kept")));
  EXPECT_THAT(refusal(ErrorCode::kUsage, std::to_string(kept(first)->value)),
              AllOf(HasSubstr("run.start_from"), HasSubstr("round 1 of run 1"), HasSubstr("another base model")));
}

TEST_F(StartPointTest, AnAdapterCanBeNamed) {
  const RunId first = finished("base", 2);
  const AdapterId early = adapter(first, 1, AdapterKind::kCumulative).id;
  const RunId second = finished(std::to_string(early.value));
  EXPECT_EQ(daemon().round(second, 1).parent, early);
}

TEST_F(StartPointTest, OnlyWhatARoundPromotedCanBeNamed) {
  const RunId first = finished("base");
  const RunId second = finished("kept", 1, rejecting());
  EXPECT_THAT(refusal(ErrorCode::kNotFound, "99"), HasSubstr("no adapter 99"));
  const auto id = [&](RunId run, AdapterKind kind) { return std::to_string(adapter(run, 1, kind).id.value); };
  EXPECT_THAT(refusal(ErrorCode::kUsage, id(first, AdapterKind::kDelta)), HasSubstr("cumulative"));
  const std::string rejected = id(second, AdapterKind::kCumulative);
  EXPECT_THAT(refusal(ErrorCode::kUsage, rejected), HasSubstr("was not promoted"));
  daemon().write([&](Writer& writer) {
    quarantine_adapter(writer, AdapterId{std::stoll(rejected)}, "quarantine/x", "its hash differs");
  });
  EXPECT_THAT(refusal(ErrorCode::kUsage, rejected), AllOf(HasSubstr("quarantined"), HasSubstr("its hash differs")));
}

TEST_F(StartPointTest, ADamagedOrMissingFolderIsNamedAndNoRunBegins) {
  const RunId first = finished("base");
  const std::filesystem::path folder = daemon().store.data_dir() / adapter(*kept(first)).path;
  write_raw(folder / "adapter_config.json", "{}");
  EXPECT_THAT(refusal(ErrorCode::kBadInput, "kept"), AllOf(HasSubstr(folder.string()), HasSubstr("hash differs")));
  std::filesystem::remove_all(folder);
  EXPECT_THAT(refusal(ErrorCode::kBadInput, "kept"), AllOf(HasSubstr(folder.string()), HasSubstr("is missing")));
  EXPECT_FALSE(kept(start_from("base")));
}

TEST_F(StartPointTest, IsFrozenWhenTheRunIsMade) {
  const RunId first = finished("base");
  const RunId second = start_from("kept");
  finished("kept");
  reopen();
  work(second);
  EXPECT_EQ(daemon().round(second, 1).parent, kept(first));
}

TEST_F(StartPointTest, SparesWhatEarlierRunsUsedWhileSomethingFreshIsLeft) {
  const RunId first = finished("base", 2);
  const RunId second = finished("kept", 1);
  std::set<std::string> all = drawn(first);
  EXPECT_THAT(all, SizeIs(8));
  all.merge(drawn(second));
  EXPECT_THAT(all, SizeIs(12)) << "the four that the first run left";
  const RunId third = finished("kept", 4);
  EXPECT_THAT(drawn(third), SizeIs(12)) << "nothing fresh is left: once more, and none of them twice";
  EXPECT_THAT(daemon().run(third).reason, HasSubstr("unused training instructions are left"));
  EXPECT_EQ(drawn(finished("base", 2)), drawn(first)) << "a run from the base draws as if it were alone";
}

TEST_F(StartPointTest, ARejectedRunsInstructionsAreUsedToo) {
  finished("base", 2, rejecting());
  const RunId second = finished("kept", 1);
  EXPECT_FALSE(daemon().round(second, 1).parent);
  const std::set<std::string> used = drawn(RunId{1});
  for (const std::string& text : drawn(second)) EXPECT_FALSE(used.contains(text)) << text;
}

TEST_F(StartPointTest, RoundsOfTheSameNumberDoNotTrainFromTheSameSeed) {
  finished("base");
  finished("kept");
  finished("kept");
  std::set<std::int64_t> seeds;
  for (const TrainRequest& training : engine_.trainings()) seeds.insert(training.config.seed);
  EXPECT_THAT(seeds, SizeIs(3));
}

}  // namespace
}  // namespace cutd
