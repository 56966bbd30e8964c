#include "trainer/training_data.h"
#include "support/folders.h"

#include "trainer/training_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A model folder with the small tokenizer of tests/text; <|end|> (id 2) is its EOS.
class TrainingDataTest : public ::testing::Test {
 protected:
  TrainingDataTest() {
    model_.vocab_size = 384;
    std::filesystem::create_directories(folder_ / "model");
    const std::filesystem::path tokenizer = source_folder() / "tests/text/data/byte_level.tokenizer.json";
    write_file_durably(folder_ / "model/tokenizer.json", read_file(tokenizer));
    write_file_durably(folder_ / "model/tokenizer_config.json", R"({"eos_token": "<|end|>"})");
    source_.model_dir = folder_ / "model";
    config_.cutoff_len = 1000;
    model_.max_position_embeddings = 4096;
  }

  void write_triplets(int count, const std::string& long_output = "") {
    Json rows = Json::array();
    for (int i = 0; i < count; ++i) {
      const Json judgment = i % 2 == 0 ? Json(nullptr) : Json("It does not say why.");
      rows.push_back({{"id", i},
                      {"instruction", "Name fruit " + std::to_string(i)},
                      {"input", ""},
                      {"output", "An apple."},
                      {"judgment", judgment}});
    }
    if (!long_output.empty()) rows[0]["output"] = long_output;
    source_.data = folder_ / "triplets.json";
    write_file_durably(source_.data, to_json_text(rows));
  }
  void write_manifest_row(const std::vector<std::int64_t>& response) {
    Manifest manifest{{"m", "alpaca", "if_finished"},
                      {{"a", "b", "", "s", {ExampleKind::kAlignP, {5, 6}, {}, response, 1}}}};
    source_.data = write_manifest(folder_.path(), manifest);
  }
  TrainingSet read() const { return read_training_set(source_, model_, config_); }

  const TemporaryDirectory folder_;
  TrainingSource source_;
  ModelConfig model_ = tiny_model_config();
  TrainConfig config_;
};

TEST_F(TrainingDataTest, TripletsBecomeExamplesThatEndWithEos) {
  write_triplets(6);
  const TrainingSet set = read();
  EXPECT_THAT(set.examples, SizeIs(6));
  EXPECT_EQ(set.satisfactory, 3U);
  EXPECT_EQ(set.criticised, 3U);
  EXPECT_FALSE(set.from_manifest);
  for (const TrainingExample& example : set.examples) EXPECT_EQ(example.response_ids.back(), 2);
  EXPECT_EQ(set.examples[0].kind, ExampleKind::kAlignP);
  EXPECT_GT(set.examples[1].prompt_judge_ids.size(), set.examples[1].prompt_ids.size());
}

TEST_F(TrainingDataTest, PositivesAreDrawnOutBeforeTraining) {
  write_triplets(20);
  config_.downsample = 0.25;
  const TrainingSet set = read();
  EXPECT_EQ(set.criticised, 10U);
  EXPECT_EQ(set.satisfactory, 2U);  // int(10 x 0.25)
  EXPECT_EQ(set.drawn_out, 8U);
}

TEST_F(TrainingDataTest, MleKeepsSatisfactoryResponsesOnly) {
  write_triplets(8);
  config_.objective.name = "mle";
  EXPECT_THAT(read().examples, SizeIs(4));
}

TEST_F(TrainingDataTest, AResponseThatLeavesNoRoomIsSkippedAndCounted) {
  write_triplets(4, std::string(3000, 'x'));
  const TrainingSet set = read();
  EXPECT_EQ(set.skipped, 1U);
  EXPECT_THAT(set.examples, SizeIs(3));
}

TEST_F(TrainingDataTest, TheModelsPositionsLimitTheCutOff) {
  write_triplets(2);
  model_.max_position_embeddings = 60;
  for (const TrainingExample& example : read().examples) {
    EXPECT_LE(example.prompt_ids.size() + example.response_ids.size(), 60U);
  }
}

TEST_F(TrainingDataTest, NothingLeftIsAnErrorThatCounts) {
  write_triplets(1, std::string(3000, 'x'));
  const Error error = error_of([&] { read(); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("triplets.json"), HasSubstr("1 without room")));
}

TEST_F(TrainingDataTest, AManifestIsTakenAsItIs) {
  write_manifest_row({7, 8});
  const TrainingSet set = read();
  EXPECT_TRUE(set.from_manifest);
  EXPECT_EQ(set.examples.at(0).response_ids, (std::vector<std::int64_t>{7, 8}));
  EXPECT_THAT(source_.data.string(), EndsWith(set.sha256 + ".jsonl"));
}

TEST_F(TrainingDataTest, AForeignIdIsNamedWithItsLine) {
  write_manifest_row({7, 384});
  EXPECT_THAT(error_of([&] { read(); }).what(), AllOf(HasSubstr(".jsonl:2"), HasSubstr("384")));
}

TEST_F(TrainingDataTest, ARowLongerThanTheModelIsNamedWithItsLine) {
  model_.max_position_embeddings = 4;
  write_manifest_row({7, 8, 9});
  EXPECT_THAT(error_of([&] { read(); }).what(), AllOf(HasSubstr(".jsonl:2"), HasSubstr("5 ids")));
}

TEST_F(TrainingDataTest, AMissingFileIsNamed) {
  source_.data = folder_ / "absent.json";
  EXPECT_THAT(error_of([&] { read(); }).what(), HasSubstr("absent.json"));
}

}  // namespace
}  // namespace cutd
