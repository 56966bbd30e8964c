// The published annotations of llama-2-13b-chat, and AlpacaEval's own figures for them.
#include "evaluation/alpaca_eval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "evaluation/output_order.h"
#include "support/error_of.h"
#include "support/golden.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Json pair(const Json& preference, const std::string& instruction = "Say it.") {
  return {{"instruction", instruction}, {"output_1", "short"}, {"output_2", "longer"}, {"preference", preference}};
}

class AlpacaEvalGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (golden_folder().empty()) GTEST_SKIP() << "no golden data beside the checkout";
    annotations_ = read_annotations(golden_folder().parent_path() / "alpaca-eval/llama-2-13b-chat-hf.annotations.json");
  }
  std::vector<PairAnnotation> annotations_;
};

TEST_F(AlpacaEvalGoldenTest, GivesThePublishedFigures) {
  const Json golden = read_json_file(golden_folder() / "alpaca-eval/win_rate.json");
  const PairwiseScore score = score_annotations(annotations_);
  const Json& overall = golden["overall"];
  EXPECT_NEAR(score.figures.win_rate, overall["win_rate"].get<double>(), 1e-9);
  EXPECT_NEAR(score.figures.standard_error, overall["standard_error"].get<double>(), 1e-9);
  EXPECT_EQ(score.figures.n_wins, overall["n_wins"]);
  EXPECT_EQ(score.figures.n_wins_base, overall["n_wins_base"]);
  EXPECT_EQ(score.figures.n_draws, overall["n_draws"]);
  EXPECT_EQ(score.figures.n_total, overall["n_total"]);
  EXPECT_NEAR(score.figures.discrete_win_rate, golden["discrete_win_rate"].get<double>(), 1e-9);
  EXPECT_EQ(score.average_length, golden["avg_length_code_points"]["int_model"]);
  EXPECT_EQ(score.missing, 1);
}

TEST_F(AlpacaEvalGoldenTest, GivesEachDatasetsFigures) {
  const Json golden = read_json_file(golden_folder() / "alpaca-eval/win_rate.json")["by_dataset"];
  for (const auto& [dataset, expected] : golden.items()) {
    std::vector<PairAnnotation> part;
    for (const PairAnnotation& annotation : annotations_) {
      if (annotation.other.value("dataset", "") == dataset) part.push_back(annotation);
    }
    const WinRate rate = score_annotations(part).figures;
    EXPECT_NEAR(rate.win_rate, expected["win_rate"].get<double>(), 1e-9) << dataset;
    EXPECT_NEAR(rate.standard_error, expected["standard_error"].get<double>(), 1e-9) << dataset;
  }
}

// The weights of the maximum-likelihood fit without a penalty that the golden data's length-controlled figure starts
// from.
TEST_F(AlpacaEvalGoldenTest, FitsTheLengthAsTheReferenceDoes) {
  const Json golden = read_json_file(golden_folder() / "alpaca-eval/win_rate.json")["length_controlled_minimal"];
  const auto adjusted = score_annotations(annotations_).length_adjusted;
  ASSERT_TRUE(adjusted.has_value());
  EXPECT_NEAR(adjusted->win_rate, golden["length_controlled_winrate"].get<double>(), 1e-6);
  EXPECT_NEAR(adjusted->length_weight, golden["weights"]["length"].get<double>(), 1e-6);
  EXPECT_NEAR(adjusted->constant, golden["weights"]["not_gamed_baseline"].get<double>(), 1e-6);
  EXPECT_NEAR(adjusted->length_scale, golden["std_delta_len_divisor"].get<double>(), 1e-6);
}

TEST_F(AlpacaEvalGoldenTest, ShowsTheSecondOutputFirstWhereAlpacaEvalDoes) {
  const Json golden = read_json_file(golden_folder() / "alpaca-eval/output_order.json");
  for (const Json& one : golden["cases"]) {
    const std::string& instruction = annotations_.at(one["position"].get<std::size_t>()).instruction;
    EXPECT_EQ(shows_second_output_first(instruction, one["seed"].get<std::int64_t>()), one["switched"]) << one;
  }
}

TEST_F(AlpacaEvalGoldenTest, WritesWhatItRead) {
  const Json file = read_json_file(golden_folder().parent_path() / "alpaca-eval/llama-2-13b-chat-hf.annotations.json");
  EXPECT_EQ(parse_annotations(annotations_json(annotations_), "again").size(), annotations_.size());
  const Json written = annotations_json(annotations_);
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const auto& [key, value] : file[i].items()) EXPECT_EQ(written[i].at(key), value) << i << " " << key;
  }
}

TEST(AlpacaEvalTest, NamesTheRecordAndTheKey) {
  const auto refusal = [](const Json& list) {
    return error_of(ErrorCode::kBadInput, [&] { parse_annotations(list, "a.json"); });
  };
  EXPECT_THAT(refusal(Json::array({pair(2), {{"instruction", "x"}}})),
              AllOf(HasSubstr("a.json: record 1"), HasSubstr("output_1")));
  EXPECT_THAT(refusal(Json::array({pair("yes")})), HasSubstr("preference"));
  EXPECT_THAT(refusal(Json::object()), HasSubstr("a.json: not annotations"));
}

TEST(AlpacaEvalTest, ComparesTheInstructionsThatBothJudged) {
  const auto before =
      parse_annotations(Json::array({pair(1, "a"), pair(2, "b"), pair(nullptr, "c"), pair(1, "d")}), "p");
  const auto after = parse_annotations(Json::array({pair(2, "a"), pair(2, "b"), pair(2, "c"), pair(2, "x")}), "c");
  const AnnotationDifference difference = compare_annotations(before, after, 1000, 1);
  EXPECT_EQ(difference.pairs, 2);
  EXPECT_DOUBLE_EQ(difference.points.value, 50);
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { compare_annotations(before, {}, 1000, 1); }),
              HasSubstr("share no instruction"));
}

TEST(AlpacaEvalTest, WithoutDifferentLengthsThereIsNoAdjustedFigure) {
  const auto annotations = parse_annotations(Json::array({pair(1), pair(2), pair(2)}), "a");
  EXPECT_FALSE(score_annotations(annotations).length_adjusted.has_value());
  EXPECT_TRUE(pairwise_score_json(score_annotations(annotations))["length_adjusted_win_rate"].is_null());
}

}  // namespace
}  // namespace cutd
