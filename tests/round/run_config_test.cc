#include "round/run_config.h"

#include "core/yaml.h"
#include "round/frozen_run.h"
#include "round/round_fixture.h"
#include "round/run_start.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kMinimal = "model: m\ndata: {train: t.jsonl, gate: g.jsonl, report: r.jsonl}\n";

RunConfig parse(const std::string& yaml, const std::vector<ConfigOverride>& overrides = {}) {
  return parse_run_config(parse_yaml(yaml, "run.yaml"), "run.yaml", overrides);
}

TEST(RunConfigTest, GivesTheSameConfigurationBackFromItsJson) {
  const RunConfig config = parse(
      kMinimal +
      "name: demo\nlora: {r: 3, target_modules: [q_proj]}\nannotators: [{name: critic, guideline: {max_words: 30}}]\n"
      "evaluation: {guards: {mean_words_low: 0.25}}\nrun: {rounds: 7, end_time: \"2026-11-24T06:00:00Z\"}\n");
  const Json json = run_config_json(config);
  EXPECT_EQ(run_config_json(parse_run_config(json, "frozen")), json);
  // Byte for byte: evaluations are known by a hash of it.
  EXPECT_EQ(to_json_text(generation_config_json(config.generation)), to_json_text(json.at("generation")));
  EXPECT_EQ(config.annotator().guideline.max_words, 30);
  EXPECT_EQ(config.limits.rounds, 7);
}

TEST(RunConfigTest, NamesFileAndKeyOfWhatItRefuses) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"rounds: 3\n", "rounds"},                        // unknown at this level
      {"train: {learning_rat: 1}\n", "learning_rate"},  // with the nearest known one
      {"run: {rounds: three}\n", "run.rounds"},
      {"run: {rounds: 0}\n", "run.rounds"},
      {"run: {rounds: 1.5}\n", "run.rounds"},
      {"run: {patience: -1}\n", "run.patience"},
      {"run: {end_time: tomorrow}\n", "run.end_time"},
      {"dtype: float64\n", "dtype"},
      {"name: Demo Run\n", "name"},
      {"evaluation: {margin: 2}\n", "evaluation.margin"},
      {"data: {train: t, gate: g, report: r, instructions_per_round: 0}\n", "instructions_per_round"},
      {"annotators: [{name: a}, {name: a}]\n", "annotators"},
      {"annotators: [{name: a, kindness: rule}]\n", "kindness"},
      {"annotators: [{name: a, guideline: {min_words: 50, max_words: 40}}]\n", "min_words"},
      {"data: {train: t, gate: g, report: r, responses_per_instruction: 2}\n",
       "responses_per_instruction"},  // greedy ones are equal
  };
  for (const auto& [line, words] : refused) {
    const std::string yaml = line.starts_with("data:") ? "model: m\n" + line : kMinimal + line;
    EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { parse(yaml); }), AllOf(HasSubstr("run.yaml"), HasSubstr(words)))
        << line;
  }
}

TEST(RunConfigTest, NamesWhatIsMissing) {
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { parse("data: {train: t, report: r}\n"); }), HasSubstr("data.gate"));
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { parse("data: {gate: g, report: r}\n"); }), HasSubstr("data.train"));
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { parse("data: {train: t, gate: g}\n"); }), HasSubstr("data.report"));
}

TEST(RunConfigTest, RefusesAKeyThatStandsTwice) {
  const std::string message = error_of(ErrorCode::kUsage, [] { parse(kMinimal + "run: {rounds: 2, rounds: 3}\n"); });
  EXPECT_THAT(message, AllOf(HasSubstr("run.yaml"), HasSubstr("rounds")));
}

TEST(RunConfigTest, FlagsComeAfterTheFileAndAreAsStrict) {
  EXPECT_EQ(parse(kMinimal + "run: {rounds: 2}\n", {{"run.rounds", "5"}}).limits.rounds, 5);
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { parse(kMinimal, {{"run.rounds", "many"}}); }), HasSubstr("run.rounds"));
  EXPECT_THAT(error_of(ErrorCode::kUsage, [] { parse(kMinimal, {{"run.round", "5"}}); }), HasSubstr("run.rounds"));
}

TEST(RunConfigTest, ReadsAnEndTimeAsUtc) {
  EXPECT_EQ(parse_end_time("1970-01-02T00:00:01Z", "x"), 86'401'000'000);
  EXPECT_EQ(parse_end_time("", "x"), 0);
  for (const char* text :
       {"2026-11-24", "2026-11-24T06:00:00", "2026-11-24T06:00:00Zz", "2026-13-24T06:00:00Z", "2026-11-24T25:00:00Z"}) {
    error_of(ErrorCode::kUsage, [&] { parse_end_time(text, "x"); });
  }
}

TEST(RunConfigTest, StartsFromTheBaseFromWhatWasKeptOrFromAnAdapter) {
  EXPECT_EQ(parse(kMinimal).limits.start_from, "base");
  for (const char* start : {"base", "kept", "12"})
    EXPECT_EQ(parse(kMinimal, {{"run.start_from", start}}).limits.start_from, start);
  for (const char* start : {"yesterday", "0", "-1", "1.5", "1234567890123456789"}) {
    EXPECT_THAT(error_of(ErrorCode::kUsage,
                         [&] {
                           parse(kMinimal, {{"run.start_from", start}});
                         }),
                HasSubstr("run.start_from"));
  }
}

TEST(RunConfigTest, EveryOptionSaysWhatItIs) {
  for (const Option& option : run_config_options()) EXPECT_GT(option.help.size(), 8u) << option.key;
}

class RunStartTest : public RoundTest {
 protected:
  std::string refusal(ErrorCode code, const Json& changes = Json::object()) {
    const std::string message = error_of(code, [&] { start(changes); });
    EXPECT_EQ(daemon().read([](Reader& reader) { return list_runs(reader).size(); }), runs_before_)
        << "nothing may be stored";
    return message;
  }
  std::size_t runs_before_ = 0;
};

TEST_F(RunStartTest, FreezesWhatTheRunIsBornWith) {
  const RunId run = start();
  const FrozenRun frozen = frozen_run_of(daemon().run(run));
  EXPECT_EQ(frozen.gate.size(), 4u);
  EXPECT_EQ(frozen.report.size(), 3u);
  EXPECT_TRUE(std::filesystem::path(frozen.model_dir).is_absolute());
  EXPECT_EQ(frozen.template_version, "alpaca");
  EXPECT_EQ(run_config_json(frozen.config), run_config_json(files_.config()));
  EXPECT_EQ(daemon().read([&](Reader& reader) { return count_unused_instructions(reader, run); }), 12);
}

TEST_F(RunStartTest, HoldsOutTheWholeFileBeyondTheCount) {
  files_.files["train.jsonl"] += files_.files["gate.jsonl"];
  const RunId run = start({{"data", {{"gate_count", 2}}}});
  EXPECT_EQ(frozen_run_of(daemon().run(run)).gate.size(), 2u);
  EXPECT_EQ(daemon().read([](Reader& reader) { return count_instructions(reader, Split::kGate); }), 4);
  EXPECT_EQ(daemon().read([&](Reader& reader) { return count_unused_instructions(reader, run); }), 12);
}

TEST_F(RunStartTest, NamesTheBrokenLine) {
  files_.files["train.jsonl"] += "{\"instruction\": \"unfinished\n";
  EXPECT_THAT(refusal(ErrorCode::kBadInput), HasSubstr("train.jsonl:13"));
}

TEST_F(RunStartTest, NamesAMissingModelAndHowToImportOne) {
  EXPECT_THAT(refusal(ErrorCode::kNotFound, {{"model", "nowhere"}}),
              AllOf(HasSubstr("nowhere"), HasSubstr("cutd model import")));
  EXPECT_THAT(refusal(ErrorCode::kUsage, {{"model", ""}}), HasSubstr("model"));
}

TEST_F(RunStartTest, NamesAMissingInstructionFile) {
  EXPECT_THAT(refusal(ErrorCode::kNotFound, {{"data", {{"gate", "missing.jsonl"}}}}), HasSubstr("missing.jsonl"));
}

TEST_F(RunStartTest, RefusesSetsThatCannotWork) {
  EXPECT_THAT(refusal(ErrorCode::kUsage, {{"data", {{"report", "gate.jsonl"}}}}), HasSubstr("disjoint"));
  EXPECT_THAT(refusal(ErrorCode::kUsage, {{"data", {{"gate_count", 5}}}}),
              AllOf(HasSubstr("data.gate_count"), HasSubstr("holds 4")));
  EXPECT_THAT(refusal(ErrorCode::kUsage, {{"data", {{"instructions_per_round", 13}}}}), HasSubstr("holds 12 usable"));
  EXPECT_THAT(refusal(ErrorCode::kUsage, {{"data", {{"train", "gate.jsonl"}}}}), HasSubstr("data.train"));
  files_.files["empty.jsonl"] = "\n";
  EXPECT_THAT(refusal(ErrorCode::kUsage, {{"data", {{"gate", "empty.jsonl"}}}}), HasSubstr("data.gate"));
}

TEST_F(RunStartTest, NeverMeasuresOnWhatTrainedInThisFolder) {
  const RunId run = start();
  work(run);
  runs_before_ = 1;
  const std::string drawn = daemon().read([&](Reader& reader) {
    const RoundId round = list_rounds(reader, run).front().id;
    return find_instruction(reader, list_responses(reader, round).front().instruction)->text;
  });
  files_.files["gate.jsonl"] = instruction_lines({drawn});
  EXPECT_THAT(refusal(ErrorCode::kUsage), AllOf(HasSubstr("data.gate"), HasSubstr(drawn)));
}

TEST_F(RunStartTest, CountsOnlyInstructionsThatTheFolderDoesNotHoldOut) {
  start();
  runs_before_ = 1;
  // Another run's training file is what the first run holds out.
  std::swap(files_.files["train.jsonl"], files_.files["gate.jsonl"]);
  files_.files["gate.jsonl"] = instruction_lines({"Say what a wheel does."});
  EXPECT_THAT(refusal(ErrorCode::kUsage),
              AllOf(HasSubstr("held out in this data folder"), HasSubstr("a round needs 4")));
}

}  // namespace
}  // namespace cutd
