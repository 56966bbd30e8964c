// What goes wrong in a run, and what becomes of it.
#include <fstream>
#include <limits>
#include <utility>

#include "core/files.h"
#include "round/adapter_files.h"
#include "round/round_fixture.h"
#include "round/run_commands.h"
#include "round/run_start.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Answers nothing, or fails, or says what a judge must not say.
class JudgeThatSays final : public Judge {
 public:
  explicit JudgeThatSays(std::function<JudgeOutcome(const JudgeRequest&)> answer) : answer_(std::move(answer)) {}
  void submit(JudgeRequest request) override { queue_.push_back(std::move(request)); }
  void run(std::stop_token, JudgeSink& sink) override {
    for (const JudgeRequest& request : queue_) {
      const AttemptIntent intent{{request.id, 1}, 0};
      sink.before_send({&intent, 1});
      sink.after_reply(intent.id, RawReply{"raw"}, Usage{});
      sink.finished(request.id, answer_(request));
    }
    queue_.clear();
  }

 private:
  const std::function<JudgeOutcome(const JudgeRequest&)> answer_;
  std::vector<JudgeRequest> queue_;
};

JudgeFactory judge_that(std::function<JudgeOutcome(const JudgeRequest&)> answer) {
  return [answer](const AnnotatorConfig&) { return std::make_unique<JudgeThatSays>(answer); };
}

const JudgeOutcome kUnusable = JudgeFailure{JudgeFailureKind::kUnusable, "the reply is empty"};

class FailuresTest : public RoundTest {
 protected:
  // The engine throws `code` in calls `first` to `last` of `kind`.
  void fail_calls(const std::string& wanted, std::int64_t first, std::int64_t last,
                  ErrorCode code = ErrorCode::kUnavailable,
                  const std::string& message = "the engine was killed by signal 9") {
    engine_.before = [=](const std::string& kind, std::int64_t number, std::stop_token) {
      if (kind == wanted && number >= first && number <= last) throw Error(code, message);
    };
  }
  void retry(RunId run) {
    daemon().write([&](Writer& writer) { retry_failed_round(writer, newest_round(writer, run), "mended"); });
  }
  static RoundId newest_round(Reader& reader, RunId run) { return list_rounds(reader, run).back().id; }
};

TEST_F(FailuresTest, AUnitThatLostItsEngineIsDoneAgainWithTheSameResult) {
  for (const std::string kind : {"generate", "score", "train"}) {
    const TemporaryDirectory folder(fast_folder());
    ScriptedEngine engine;
    engine.before = [&](const std::string& now, std::int64_t number, std::stop_token) {
      if (now == kind && number <= 2) engine_dies();
    };
    OneDaemon daemon(folder / "data", engine, clock_, log_);
    const RunId run = start_run(daemon.store, files_.config(), files_.reader(), scripted_text, log_);
    EXPECT_EQ(daemon.work(run), RunState::kCompleted) << kind;
    EXPECT_EQ(daemon.outcome(run), undisturbed()) << kind;
  }
}

TEST_F(FailuresTest, ThreeFailuresOfOneUnitFailTheRoundAndARetryGoesOn) {
  const RunId run = start();
  work_to(run, Phase::kGenerating);
  const std::int64_t next = engine_.calls("generate") + 1;
  fail_calls("generate", next, next + 2);
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_EQ(daemon().phase(run), Phase::kFailed);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("killed by signal 9"));
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("generate unit"));
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("round 1 failed"));
  EXPECT_EQ(daemon().step(run), StepResult::kIdle);
  reopen();
  retry(run);
  EXPECT_EQ(daemon().phase(run), Phase::kGenerating);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, ASuccessForgetsTheFailuresBefore) {
  const RunId run = start();
  // Every unit fails twice: never three times in a row.
  engine_.before = [](const std::string& kind, std::int64_t number, std::stop_token) {
    if (kind == "generate" && number % 3 != 0) engine_dies();
  };
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, FailuresAreCountedAcrossRestarts) {
  const RunId run = start();
  work_to(run, Phase::kTraining);
  engine_.before = [](const std::string& kind, std::int64_t, std::stop_token) {
    if (kind == "train") engine_dies();
  };
  for (int restart = 0; restart < 3; ++restart) {
    work(run, [&, before = engine_.calls("train")] { return engine_.calls("train") > before; });
    reopen();
  }
  EXPECT_EQ(daemon().phase(run), Phase::kFailed);
  EXPECT_EQ(engine_.calls("train"), 3);
}

TEST_F(FailuresTest, WhatRepeatingCannotCureFailsAtOnce) {
  const RunId run = start();
  fail_calls("train", 1, 1, ErrorCode::kBadInput, "tensor x has another shape");
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_EQ(engine_.calls("train"), 1);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("another shape"));
}

TEST_F(FailuresTest, AnswersThatDoNotFitTheRequestAreRefused) {
  // An engine in front of the scripted one that spoils what it answers.
  class Spoiler final : public Engine {
   public:
    std::function<void(std::vector<GeneratedResponse>&)> spoil = [](auto&) {};
    std::function<void(std::vector<std::vector<double>>&)> spoil_scores = [](auto&) {};
    LoadReply load(const ModelSpec& m, std::stop_token s, const ProgressSink& p) override {
      return engine.load(m, s, p);
    }
    std::vector<GeneratedResponse> generate(const GenerateRequest& r, std::stop_token s,
                                            const ProgressSink& p) override {
      auto responses = engine.generate(r, s, p);
      spoil(responses);
      return responses;
    }
    std::vector<std::vector<double>> score(const ScoreRequest& r, std::stop_token s, const ProgressSink& p) override {
      auto scores = engine.score(r, s, p);
      spoil_scores(scores);
      return scores;
    }
    TrainReply train(const TrainRequest& r, std::stop_token s, const ProgressSink& p) override {
      return engine.train(r, s, p);
    }
    MergeReply merge(const MergeRequest& r, std::stop_token s, const ProgressSink& p) override {
      return engine.merge(r, s, p);
    }
    ScriptedEngine engine;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto reason_of = [&](const std::function<void(Spoiler&)>& prepare) {
    const TemporaryDirectory folder(fast_folder());
    Spoiler engine;
    prepare(engine);
    OneDaemon daemon(folder / "data", engine, clock_, log_);
    const RunId run = start_run(daemon.store, files_.config(), files_.reader(), scripted_text, log_);
    EXPECT_EQ(daemon.work(run), RunState::kFailed);
    return daemon.run(run).reason;
  };
  EXPECT_THAT(reason_of([](Spoiler& e) { e.spoil = [](auto& r) { r.pop_back(); }; }),
              HasSubstr("answered 2 of 3 prompts"));
  EXPECT_THAT(reason_of([](Spoiler& e) { e.spoil = [](auto& r) { r[0].ids.clear(); }; }), HasSubstr("without ids"));
  EXPECT_THAT(reason_of([](Spoiler& e) { e.spoil = [](auto& r) { r[0].finish_reason = "tired"; }; }),
              HasSubstr("tired"));
  EXPECT_THAT(reason_of([&](Spoiler& e) { e.spoil = [=](auto& r) { r[0].logprobs[0] = nan; }; }),
              HasSubstr("not a number"));
  EXPECT_THAT(reason_of([&](Spoiler& e) { e.spoil_scores = [=](auto& s) { s[0][0] = nan; }; }),
              HasSubstr("not a number"));
  EXPECT_THAT(reason_of([](Spoiler& e) { e.spoil_scores = [](auto& s) { s.pop_back(); }; }),
              HasSubstr("another number"));
}

TEST_F(FailuresTest, AStaleCheckpointDoesNotStandInTheWayOfARetry) {
  const RunId run = start();
  work_to(run, Phase::kTraining);
  const auto checkpoints = checkpoint_folder(daemon().store.data_dir(), daemon().round(run).id);
  std::filesystem::create_directories(checkpoints);
  std::ofstream(checkpoints / "step-2.json") << R"({"training":"another","state":"x"})";
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("checkpoint of another training"));
  retry(run);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, TrainingGoesOnFromTheNewestCheckpoint) {
  const RunId run = start();
  engine_.after_step = [&](std::int64_t step, std::stop_token) {
    if (step == 2 && engine_.calls("train") == 1) engine_dies();
  };
  work_to(run, Phase::kEvaluating);
  EXPECT_EQ(engine_.calls("train"), 2);
  EXPECT_EQ(engine_.last_resumed_from(), 2);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, ATrainingThatGetsFurtherEachTimeIsNotGivenUp) {
  const RunId run = start({{"run", {{"rounds", 1}}}});
  std::map<std::int64_t, bool> died;
  engine_.after_step = [&](std::int64_t step, std::stop_token) {
    // Once after every step: three failures, none of them at a place reached before.
    if (!std::exchange(died[step], true)) engine_dies();
  };
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(engine_.calls("train"), ScriptedEngine::kSteps + 1);
}

TEST_F(FailuresTest, ATrainingThatDiesAtOneStepIsGivenUp) {
  const RunId run = start({{"run", {{"rounds", 1}}}});
  engine_.before = [&](const std::string& kind, std::int64_t number, std::stop_token) {
    if (kind == "train" && number > 1) engine_dies();
  };
  engine_.after_step = [](std::int64_t step, std::stop_token) {
    if (step == 2) engine_dies();
  };
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_EQ(engine_.calls("train"), 3);
}

TEST_F(FailuresTest, AllJudgmentsFailedIsSaidWithAReason) {
  const RunId run = start();
  work_to(run, Phase::kGenerating);  // the baseline was judged
  daemon().judges = judge_that([](const JudgeRequest&) { return kUnusable; });
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("4 of 4 judgments failed"));
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("the reply is empty"));
  daemon().judges = make_judge;
  retry(run);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, AFailedJudgmentNeverEntersAManifest) {
  const RunId run = start({{"run", {{"rounds", 1}}}});
  work_to(run, Phase::kGenerating);
  int asked = 0;
  daemon().judges = judge_that([&](const JudgeRequest&) {
    return asked++ == 0 ? kUnusable : JudgeOutcome(Verdict{false, "Too vague."});
  });
  work_to(run, Phase::kEvaluating);
  daemon().judges = make_judge;
  daemon().read([&](Reader& reader) {
    const RoundId round = newest_round(reader, run);
    const FrozenManifest manifest = find_manifest(reader, round).value();
    EXPECT_EQ(manifest.positives + manifest.negatives, 3);
  });
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(FailuresTest, AnUnvalidatedJudgmentNeverEntersAManifestNorAScore) {
  const RunId run = start({{"run", {{"rounds", 1}}}});
  const auto doubt_first = [&](UnitOwner owner) {
    daemon().write([&](Writer& writer) {
      const AnnotatorId annotator{1};
      const auto pending = list_pending_judgments(writer, owner, annotator, 1);
      ASSERT_THAT(pending, SizeIs(1));
      settle_judgment(writer, pending[0].id, {JudgmentLabel::kPositive, "Perfect.", "Perfect.", false});
    });
  };
  work_to(run, Phase::kGenerating);
  daemon().step(run);
  doubt_first(daemon().round(run).id);
  work_to(run, Phase::kEvaluating);
  daemon().read([&](Reader& reader) {
    const FrozenManifest manifest = find_manifest(reader, newest_round(reader, run)).value();
    EXPECT_EQ(manifest.positives + manifest.negatives, 3);
  });
  // One of four is more of a held-out set than may be missing: the round fails.
  const auto candidate = [&] {
    return daemon().read([](Reader& reader) -> std::optional<EvaluationId> {
      const auto all = list_evaluations(reader);
      if (all.size() < 2 || list_responses(reader, all.back().id).empty()) return std::nullopt;
      return all.back().id;
    });
  };
  while (!candidate()) daemon().step(run);
  doubt_first(*candidate());
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("held-out set failed"));
}

TEST_F(FailuresTest, AFullDiskInAUnitPausesTheRoundUntilThereIsRoom) {
  const RunId run = start();
  work_to(run, Phase::kTraining);
  fail_calls("train", 1, 1, ErrorCode::kResource, "cannot write checkpoint: No space left on device");
  work(run, [&] { return daemon().phase(run) == Phase::kPaused; });
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("No space left"));
  EXPECT_EQ(daemon().step(run), StepResult::kIdle);
  EXPECT_EQ(daemon().run(run).state, RunState::kActive);
  clock_.boot += 60'000;
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, NothingStartsBelowTheFloorAndItGoesOnByItself) {
  for (const Phase phase : {Phase::kGenerating, Phase::kJudging, Phase::kTraining, Phase::kEvaluating}) {
    const RunId run = start();
    work_to(run, phase);
    const std::int64_t calls = engine_.calls("generate") + engine_.calls("train");
    daemon().free_disk = 1000;  // the floor is 1 MiB
    EXPECT_EQ(daemon().step(run), StepResult::kWorked);
    EXPECT_EQ(daemon().phase(run), Phase::kPaused);
    EXPECT_THAT(daemon().round(run).reason, HasSubstr("min_free_disk_mb"));
    clock_.boot += 60'000;
    EXPECT_EQ(daemon().step(run), StepResult::kIdle);
    EXPECT_EQ(engine_.calls("generate") + engine_.calls("train"), calls);
    daemon().free_disk = std::uintmax_t{1} << 30;
    EXPECT_EQ(daemon().step(run), StepResult::kWorked);
    EXPECT_EQ(daemon().phase(run), phase);
    EXPECT_EQ(work(run), RunState::kCompleted);
  }
}

TEST_F(FailuresTest, FailedStorageEndsTheRunnerAndNotTheData) {
  const RunId run = start();
  work_to(run, Phase::kGenerating);
  fail_calls("generate", engine_.calls("generate") + 1, 1000, ErrorCode::kIo, "input/output error");
  error_of(ErrorCode::kIo, [&] { daemon().step(run); });
  engine_.before = {};
  reopen();
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

void flip_byte(const std::filesystem::path& file) {
  std::string bytes = read_file(file);
  bytes[bytes.size() - 1] = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST_F(FailuresTest, ADamagedCandidateIsPutAsideAndMadeAgain) {
  const RunId run = start();
  work_to(run, Phase::kEvaluating);
  const auto cumulative = daemon()
                              .read([&](Reader& reader) {
                                return find_adapter(reader, newest_round(reader, run), AdapterKind::kCumulative);
                              })
                              .value();
  flip_byte(daemon().store.data_dir() / cumulative.path / "adapter_model.safetensors");
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
  const auto aside = daemon().read([&](Reader& reader) { return find_adapter(reader, cumulative.id); }).value();
  EXPECT_EQ(aside.state, AdapterState::kQuarantined);
  EXPECT_TRUE(std::filesystem::is_directory(daemon().store.data_dir() / aside.path));
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(FailuresTest, ADamagedDeltaIsTrainedAgain) {
  const RunId run = start();
  work(run, [&] {
    return daemon().read([&](Reader& reader) {
      const auto rounds = list_rounds(reader, run);
      return !rounds.empty() && find_adapter(reader, rounds.back().id, AdapterKind::kDelta).has_value();
    });
  });
  const auto delta =
      daemon()
          .read([&](Reader& reader) { return find_adapter(reader, newest_round(reader, run), AdapterKind::kDelta); })
          .value();
  std::filesystem::remove_all(daemon().store.data_dir() / delta.path);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
  EXPECT_EQ(engine_.calls("train"), 3);
}

TEST_F(FailuresTest, ADamagedServingAdapterGeneratesNothing) {
  const RunId run = start();
  work(run, [&] { return daemon().round(run).number == 2 && daemon().phase(run) == Phase::kGenerating; });
  const auto parent =
      daemon().read([&](Reader& reader) { return find_adapter(reader, *find_round(reader, run, 2)->parent); }).value();
  const auto file = daemon().store.data_dir() / parent.path / "adapter_model.safetensors";
  const std::string whole = read_file(file);
  reopen();
  flip_byte(file);
  const std::int64_t calls = engine_.calls("generate");
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_EQ(engine_.calls("generate"), calls);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("is not what was published"));
  std::ofstream(file, std::ios::binary) << whole;  // restored from a copy
  retry(run);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(FailuresTest, AFailedFinalReportCanBeResumed) {
  const RunId run = start();
  work(run, [&] { return daemon().round(run).number == 2 && daemon().phase(run) == Phase::kCompleted; });
  fail_calls("generate", engine_.calls("generate") + 1, engine_.calls("generate") + 3);
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("killed by signal 9"));
  daemon().write([&](Writer& writer) { resume_run(writer, run, "mended"); });
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

}  // namespace
}  // namespace cutd
