// Whole runs on one thread with a scripted engine and the real rule annotator.
#include <set>

#include "core/hash.h"
#include "dataset/manifest.h"
#include "round/adapter_files.h"
#include "round/evaluation_work.h"
#include "round/frozen_run.h"
#include "round/round_fixture.h"
#include "round/run_start.h"
#include "support/scripted_text.h"
#include "weights/peft.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WholeRunTest : public RoundTest {
 protected:
  std::vector<Instruction> sampled(RunId run) {
    return daemon().read([&](Reader& reader) {
      std::vector<Instruction> found;
      for (const Round& round : list_rounds(reader, run)) {
        for (const Response& response : list_responses(reader, round.id))
          found.push_back(*find_instruction(reader, response.instruction));
      }
      return found;
    });
  }
  std::size_t count_evaluations() {
    return daemon().read([](Reader& reader) { return list_evaluations(reader); }).size();
  }
  Manifest manifest_of(const Round& round) {
    const auto row = daemon().read([&](Reader& reader) { return find_manifest(reader, round.id); }).value();
    return read_manifest(daemon().store.data_dir() / row.path);
  }
};

TEST_F(WholeRunTest, EndsWithTwoPromotedRoundsAndASoundStore) {
  const RunId run = start();
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("all 2 rounds are done"));
  EXPECT_THAT(daemon().outcome(run).rounds, SizeIs(2));
  EXPECT_EQ(daemon().round(run, 1).outcome, Outcome::kPromoted);
  EXPECT_EQ(daemon().round(run, 2).outcome, Outcome::kPromoted);
  EXPECT_THAT(daemon().check(), IsEmpty());
  // Gate: the base and each round's candidate; report: the base and the kept model.
  EXPECT_EQ(count_evaluations(), 5u);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(WholeRunTest, BuildsTheSecondAdapterOnTheFirst) {
  const RunId run = start();
  work(run);
  const ModelConfig config = read_model_config(files_.model);
  daemon().read([&](Reader& reader) {
    const auto load = [&](const Round& round, AdapterKind kind) {
      return read_adapter(daemon().store.data_dir() / find_adapter(reader, round.id, kind)->path, config);
    };
    const Round first = find_round(reader, run, 1).value();
    const Round second = find_round(reader, run, 2).value();
    EXPECT_EQ(load(second, AdapterKind::kCumulative).r, 4);
    const PeftAdapter sum =
        concatenate_adapters(load(first, AdapterKind::kCumulative), load(second, AdapterKind::kDelta));
    EXPECT_EQ(adapter_hash(load(second, AdapterKind::kCumulative)), adapter_hash(sum));
    EXPECT_EQ(find_adapter(reader, second.id, AdapterKind::kCumulative)->hash, adapter_hash(sum));
  });
  EXPECT_EQ(engine_.trainings().at(0).model.adapter_dir, "");
  EXPECT_THAT(engine_.trainings().at(1).model.adapter_dir, HasSubstr("tiny-1-r1-"));
}

TEST_F(WholeRunTest, DoesNotDependOnWhereTheModelAndTheDataLie) {
  const TemporaryDirectory elsewhere;
  const RunFiles files(elsewhere.path());
  OneDaemon other(elsewhere / "deep/er/data", engine_, clock_, log_);
  const RunId run = start_run(other.store, files.config(), files.reader(), scripted_text, log_);
  other.work(run);
  EXPECT_EQ(other.outcome(run), undisturbed());
}

TEST_F(WholeRunTest, NeverDrawsAHeldOutInstructionOrOneTwice) {
  // The training file holds the gate's and the report's instructions too.
  files_.files["train.jsonl"] += files_.files["gate.jsonl"] + files_.files["report.jsonl"];
  const RunId run = start({{"run", {{"rounds", 3}}}});
  work(run);
  std::set<std::string> seen;
  for (const Instruction& instruction : sampled(run)) {
    EXPECT_EQ(instruction.split, Split::kTrain);
    EXPECT_TRUE(seen.insert(instruction.hash).second) << instruction.text;
  }
  EXPECT_THAT(seen, SizeIs(12));
  for (std::int64_t number = 1; number <= 3; ++number) {
    for (const ManifestRow& row : manifest_of(daemon().round(run, number)).rows)
      EXPECT_TRUE(seen.contains(row.instruction_hash));
  }
}

TEST_F(WholeRunTest, DrawsFromItsOwnFileOnly) {
  start();  // imports twelve instructions that the second run does not name
  files_.files["train.jsonl"] = instruction_lines(
      {"Say what a wheel does.", "Say what a clock does.", "Say what a door does.", "Say what a roof does."});
  const RunId second = start({{"run", {{"rounds", 1}}}});
  work(second);
  for (const Instruction& instruction : sampled(second)) EXPECT_THAT(instruction.text, HasSubstr("Say what a"));
}

TEST_F(WholeRunTest, StopsWhenItsInstructionsRunOut) {
  const RunId run = start({{"run", {{"rounds", 9}}}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("only 0 unused training instructions are left"));
  EXPECT_EQ(daemon().round(run).number, 3);
}

TEST_F(WholeRunTest, StopsAtItsEndTime) {
  const RunId run = start({{"run", {{"rounds", 3}, {"end_time", "2026-11-24T06:00:00Z"}}}});
  work_to(run, Phase::kTraining);
  clock_.wall = 1'900'000'000'000'000;  // beyond it: the round at work goes on, no other starts
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("end time"));
  EXPECT_EQ(daemon().round(run).number, 1);
  EXPECT_EQ(daemon().round(run).outcome, Outcome::kPromoted);
}

TEST_F(WholeRunTest, StopsAfterRejectionsInARowAndStartsEachFromTheKeptModel) {
  // With no margin nothing is surely better on four instructions.
  const RunId run =
      start({{"run", {{"rounds", 3}, {"patience", 2}}}, {"evaluation", {{"margin", 0}}}, {"lora", {{"r", 1}}}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("patience 2"));
  EXPECT_EQ(daemon().round(run).number, 2);
  EXPECT_EQ(daemon().round(run).outcome, Outcome::kRejected);
  EXPECT_EQ(daemon().round(run).parent, std::nullopt);
  EXPECT_THAT(daemon().outcome(run).run, HasSubstr("serving the base"));
  // The kept model is the base: its report is made once.
  EXPECT_EQ(count_evaluations(), 4u);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(WholeRunTest, PatienceZeroNeverStops) {
  const RunId run =
      start({{"run", {{"rounds", 3}, {"patience", 0}}}, {"evaluation", {{"margin", 0}}}, {"lora", {{"r", 1}}}});
  work(run);
  EXPECT_EQ(daemon().round(run).number, 3);
}

TEST_F(WholeRunTest, AGuardOutsideItsBandRejects) {
  const RunId run = start({{"run", {{"rounds", 1}}}, {"evaluation", {{"guards", {{"mean_words_high", 0.01}}}}}});
  work(run);
  EXPECT_EQ(daemon().round(run).outcome, Outcome::kRejected);
  const auto events = daemon().read([&](Reader& reader) { return list_round_events(reader, daemon().round(run).id); });
  EXPECT_THAT(events.back().why, HasSubstr("mean_words"));
}

TEST_F(WholeRunTest, ARoundWithTooFewExamplesTrainsNothingAndIsRejected) {
  const RunId run = start({{"run", {{"rounds", 1}}}, {"data", {{"min_training_examples", 5}}}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().round(run).outcome, Outcome::kRejected);
  EXPECT_EQ(engine_.calls("train"), 0);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(WholeRunTest, ExamplesBeyondTheCutOffDoNotCount) {
  // No response leaves room for a prompt within 20 ids, so the manifest is empty.
  const RunId run = start({{"run", {{"rounds", 1}}}, {"train", {{"cutoff_len", 20}}}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().round(run).outcome, Outcome::kRejected);
  EXPECT_EQ(engine_.calls("train"), 0);
}

TEST_F(WholeRunTest, ASecondRunReusesTheFirstOnesEvaluations) {
  const RunId first = start();
  work(first);
  const std::size_t before = count_evaluations();
  const std::int64_t generated = engine_.calls("generate");
  const RunId second = start();
  EXPECT_EQ(work(second), RunState::kCompleted);
  // The same seeds and instructions make the same models; only the rounds' own responses are generated again.
  EXPECT_EQ(count_evaluations(), before);
  EXPECT_EQ(engine_.calls("generate") - generated, 4);
  EXPECT_EQ(daemon().outcome(second).manifests, daemon().outcome(first).manifests);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(WholeRunTest, AnotherDecodingOrAnnotatorIsAnotherEvaluation) {
  const auto baseline_of = [&](const Json& changes) {
    const RunId run = start(changes);
    work_to(run, Phase::kGenerating);
    return count_evaluations();
  };
  EXPECT_EQ(baseline_of(Json::object()), 1u);
  EXPECT_EQ(baseline_of(Json::object()), 1u);
  EXPECT_EQ(baseline_of({{"generation", {{"temperature", 0.5}}}}), 2u);
  EXPECT_EQ(baseline_of({{"annotators", {{{"guideline", {{"max_words", 39}}}}}}}), 3u);
  EXPECT_EQ(baseline_of({{"data", {{"gate_count", 3}}}}), 4u);
}

TEST_F(WholeRunTest, PairsEvaluationsByInstructionWhateverTheFilesOrder) {
  const RunId first = start({{"run", {{"rounds", 1}}}});
  work(first);
  // The second run lists the gate backwards: its baseline is the first run's, its candidate's order is its own.
  files_.files["gate.jsonl"] =
      instruction_lines({"Explain what a saddle is used for.", "Explain what a lantern is used for.",
                         "Explain what a needle is used for.", "Explain what a basket is used for."});
  const RunId second = start({{"run", {{"rounds", 1}}}, {"train", {{"seed", 7}}}});
  work(second);
  const FrozenRun frozen = frozen_run_of(daemon().run(second));
  daemon().read([&](Reader& reader) {
    const Round round = find_round(reader, second, 1).value();
    const std::string data_dir = daemon().store.data_dir().string();
    const RoundModels models = read_round_models(reader, frozen, round, data_dir);
    const auto comparison =
        compare_evaluations(reader, frozen, models.untrained.key, models.parent.key, models.candidate->key).value();
    std::map<InstructionId, int> difference;
    for (const auto& [key, sign] : {std::pair(models.parent.key, -1), std::pair(models.candidate->key, 1)}) {
      for (const EvaluationItem& item : list_evaluation_items(reader, find_evaluation(reader, key)->id))
        difference[item.instruction] += sign * item.perfect;
    }
    // The interval of constant pairs is a point; of mixed ones it reaches from the lowest to the highest at most.
    double lowest = 1, highest = -1;
    for (const auto& [instruction, value] : difference) {
      lowest = std::min<double>(lowest, value);
      highest = std::max<double>(highest, value);
    }
    EXPECT_GE(comparison.difference.interval.low, lowest);
    EXPECT_LE(comparison.difference.interval.high, highest);
  });
}

TEST_F(WholeRunTest, TwoRunsInOneFolderKeepTheirAdaptersApart) {
  const RunId first = start();
  work_to(first, Phase::kEvaluating);
  const RunId second = start();
  work(second);
  work(first);
  for (const RunId run : {first, second}) {
    const auto adapters = daemon().read([&](Reader& reader) { return list_adapters(reader, run); });
    EXPECT_THAT(adapters, SizeIs(4));
    for (const Adapter& adapter : adapters)
      EXPECT_THAT(adapter.path, HasSubstr("tiny-" + std::to_string(run.value) + "-r"));
  }
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(WholeRunTest, SeedsComeFromRoundInstructionAndSampleAlone) {
  const RunId run = start({{"data", {{"responses_per_instruction", 2}, {"instructions_per_round", 2}}},
                           {"generation", {{"temperature", 1.0}}}});
  work(run);
  std::set<std::int64_t> seeds;
  std::size_t samples = 0;
  daemon().read([&](Reader& reader) {
    for (const Round& round : list_rounds(reader, run)) {
      for (const Response& response : list_responses(reader, round.id)) {
        seeds.insert(response.seed);
        ++samples;
      }
    }
  });
  EXPECT_EQ(samples, 8u);
  EXPECT_EQ(seeds.size(), samples);
  // Larger units change who is generated together, not any seed.
  const TemporaryDirectory elsewhere;
  OneDaemon other(elsewhere / "data", engine_, clock_, log_);
  const RunId again =
      start_run(other.store,
                files_.config({{"data", {{"responses_per_instruction", 2}, {"instructions_per_round", 2}}},
                               {"generation", {{"temperature", 1.0}, {"unit_prompts", 1}}}}),
                files_.reader(), scripted_text, log_);
  other.work(again);
  EXPECT_EQ(other.outcome(again).responses, daemon().outcome(run).responses);
}

TEST_F(WholeRunTest, KeepsTrainingStepsAndDropsCheckpoints) {
  const RunId run = start();
  work(run);
  const auto steps =
      daemon().read([&](Reader& reader) { return list_training_steps(reader, daemon().round(run, 1).id); });
  EXPECT_THAT(steps, SizeIs(ScriptedEngine::kSteps));
  EXPECT_TRUE(std::filesystem::is_empty(daemon().store.data_dir() / "checkpoints"));
  EXPECT_TRUE(std::filesystem::is_empty(daemon().store.data_dir() / "tmp"));
}

TEST_F(WholeRunTest, MleTrainsOnSatisfactoryResponsesOnly) {
  const RunId run =
      start({{"run", {{"rounds", 1}}}, {"objective", {{"name", "mle"}}}, {"data", {{"min_training_examples", 1}}}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  const auto row = daemon().read([&](Reader& reader) { return find_manifest(reader, daemon().round(run).id); });
  EXPECT_EQ(engine_.calls("train"), row && row->positives > 0 ? 1 : 0);
}

}  // namespace
}  // namespace cutd
