#include "model/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "model/aten_decoder.h"
#include "model/model_support.h"

namespace cutd {
namespace {

DecoderLimits small_limits(std::int64_t threads = 2) {
  DecoderLimits limits;
  limits.arena_tokens = 512;
  limits.max_rows = 64;
  limits.max_positions = 96;
  limits.threads = threads;
  return limits;
}

float largest_difference(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  float most = 0;
  for (std::size_t t = 0; t < a.size(); ++t) {
    for (std::size_t i = 0; i < a[t].size(); ++i) most = std::max(most, std::abs(a[t][i] - b[t][i]));
  }
  return most;
}

TEST(DecoderTest, EveryLevelAgreesWithTheOperators) {
  const DecoderWeights weights = random_decoder_weights(odd_config(), at::kFloat, at::kCPU, 3);
  const auto ids = some_ids(40, 5, weights.config.vocab_size);
  const auto expected = run_all(*make_aten_decoder(weights, small_limits()), ids, 0, 64, weights.config.vocab_size);
  for (const CpuLevel level : available_cpu_levels()) {
    const auto decoder = make_cpu_decoder(weights, small_limits(), level);
    EXPECT_LT(largest_difference(run_all(*decoder, ids, 0, 64, weights.config.vocab_size), expected), 2e-4F)
        << cpu_level_name(level);
  }
}

TEST(DecoderTest, EveryLevelAgreesWithTheOperatorsInBfloat16) {
  const DecoderWeights weights = random_decoder_weights(odd_config(), at::kBFloat16, at::kCPU, 3);
  const auto ids = some_ids(40, 5, weights.config.vocab_size);
  const auto expected = run_all(*make_aten_decoder(weights, small_limits()), ids, 0, 64, weights.config.vocab_size);
  for (const CpuLevel level : available_cpu_levels()) {
    const auto decoder = make_cpu_decoder(weights, small_limits(), level);
    EXPECT_LT(largest_difference(run_all(*decoder, ids, 0, 64, weights.config.vocab_size), expected), 0.15F)
        << cpu_level_name(level);
  }
}

class DecoderBitsTest : public testing::TestWithParam<at::ScalarType> {};

// One token at a time, alone, against chunks, other threads, another place and up to 40 rows of company.
TEST_P(DecoderBitsTest, ARowHasTheSameBitsInAnyCompany) {
  const DecoderWeights weights = random_decoder_weights(odd_config(), GetParam(), at::kCPU, 3);
  const std::int64_t vocabulary = weights.config.vocab_size;
  const auto ids = some_ids(12, 5, vocabulary);
  for (const CpuLevel level : available_cpu_levels()) {
    const auto alone = run_all(*make_cpu_decoder(weights, small_limits(1), level), ids, 0, 1, vocabulary);
    const auto decoder = make_cpu_decoder(weights, small_limits(2), level);
    for (const std::int64_t chunk : {2, 3, 5, 7, 12}) {
      EXPECT_EQ(run_all(*decoder, ids, 100, chunk, vocabulary), alone)
          << cpu_level_name(level) << " in chunks of " << chunk;
    }
    for (const std::int64_t companions : {1, 2, 3, 4, 5, 6, 7, 11, 23, 40}) {
      std::vector<float> logits(static_cast<std::size_t>(vocabulary));
      run_all(*decoder, std::vector<std::int64_t>(ids.begin(), ids.end() - 1), 0, 64, vocabulary);
      std::vector<DecoderRow> rows;
      for (std::int64_t c = 0; c < companions; ++c) rows.push_back({(c * 13) % vocabulary, 96 + c * 2, 0});
      rows.push_back({ids.back(), 0, static_cast<std::int64_t>(ids.size()) - 1});
      const std::vector<HeadQuery> queries = {{companions, -1, logits.data()}};
      std::vector<HeadResult> results(1);
      decoder->run(rows, queries, results);
      EXPECT_EQ(logits, alone.back()) << cpu_level_name(level) << " beside " << companions;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Types, DecoderBitsTest, testing::Values(at::kFloat, at::kBFloat16));

TEST(DecoderTest, TheHeadsResultsDescribeItsLogits) {
  const DecoderWeights weights = random_decoder_weights(odd_config(), at::kFloat, at::kCPU, 3);
  const auto decoder = make_cpu_decoder(weights, small_limits(), best_cpu_level());
  std::vector<float> logits(static_cast<std::size_t>(weights.config.vocab_size));
  const std::vector<DecoderRow> rows = {{7, 0, 0}};
  const std::vector<HeadQuery> queries = {{0, 200, logits.data()}};
  std::vector<HeadResult> results(1);
  decoder->run(rows, queries, results);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - results[0].max_logit);
  EXPECT_EQ(results[0].best, std::max_element(logits.begin(), logits.end()) - logits.begin());
  EXPECT_EQ(results[0].max_logit, logits[static_cast<std::size_t>(results[0].best)]);
  EXPECT_EQ(results[0].target_logit, logits[200]);
  EXPECT_NEAR(results[0].log_sum, std::log(sum), 1e-5);
}

TEST(DecoderTest, RefusesRowsOutsideItsLimits) {
  const DecoderWeights weights = random_decoder_weights(odd_config(), at::kFloat, at::kCPU, 3);
  const auto decoder = make_cpu_decoder(weights, small_limits(), best_cpu_level());
  for (const DecoderRow& row :
       {DecoderRow{-1, 0, 0}, DecoderRow{301, 0, 0}, DecoderRow{1, 0, 96}, DecoderRow{1, 512, 0}}) {
    EXPECT_THROW(decoder->run(std::vector<DecoderRow>{row}, {}, {}), Error);
  }
}

TEST(DecoderTest, RefusesToCopyOutsideTheArenaOrOntoItself) {
  const DecoderWeights weights = random_decoder_weights(odd_config(), at::kFloat, at::kCPU, 3);
  for (const DecoderKind kind : {DecoderKind::kAutomatic, DecoderKind::kOperators}) {
    const auto decoder = make_decoder(weights, small_limits(), kind);
    EXPECT_NO_THROW(decoder->copy(0, 256, 256));
    EXPECT_THROW(decoder->copy(0, 257, 256), Error);
    EXPECT_THROW(decoder->copy(-1, 256, 16), Error);
    EXPECT_THROW(decoder->copy(8, 0, 9), Error);
    EXPECT_THROW(decoder->copy(8, 8, -1), Error);
  }
}

class GoldenDecoderTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (golden_folder().empty()) GTEST_SKIP() << "no golden data beside the checkout";
  }
};

void compare_golden(Decoder& decoder, const Json& cases, std::int64_t vocabulary, const std::string& name) {
  for (const Json& one : cases.at("cases")) {
    const auto ids = one.at("input_ids").get<std::vector<std::int64_t>>();
    const auto logits = run_all(decoder, ids, 0, 64, vocabulary);
    const auto positions = one.at("logits_positions").get<std::vector<std::size_t>>();
    for (std::size_t p = 0; p < positions.size(); ++p) {
      const auto expected = one.at("logits")[p].get<std::vector<float>>();
      ASSERT_EQ(expected.size(), static_cast<std::size_t>(vocabulary));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(logits[positions[p]][i], expected[i], 2e-4 * std::max(1.0F, std::abs(expected[i])))
            << name << ", " << one.at("name");
      }
    }
  }
}

TEST_P(GoldenDecoderTest, LogitsAreHuggingFacesAtEveryLevelAndByOperators) {
  const std::filesystem::path folder = golden_folder() / "models" / GetParam();
  const DecoderWeights weights = load_decoder_weights(folder, at::kFloat, at::kCPU);
  const Json cases = parse_json(read_file(folder / "cases.json"), "cases.json");
  DecoderLimits limits = small_limits();
  limits.max_positions = weights.config.max_position_embeddings;
  for (const CpuLevel level : available_cpu_levels()) {
    compare_golden(*make_cpu_decoder(weights, limits, level), cases, weights.config.vocab_size, cpu_level_name(level));
  }
  compare_golden(*make_aten_decoder(weights, limits), cases, weights.config.vocab_size, "operators");
}
// Hugging Face pads the shorter prompts and masks; here they run in one step as they are.
TEST_P(GoldenDecoderTest, PromptsOfUnequalLengthsInOneStepGiveTheLogitsOfThePaddedBatch) {
  const std::filesystem::path folder = golden_folder() / "models" / GetParam();
  const DecoderWeights weights = load_decoder_weights(folder, at::kFloat, at::kCPU);
  const Json padded = read_json_file(folder / "cases.json").at("padded_batch");
  const std::size_t vocabulary = static_cast<std::size_t>(weights.config.vocab_size);
  const std::size_t prompts = padded.at("input_ids").size();
  std::vector<std::vector<float>> logits(prompts, std::vector<float>(vocabulary));
  std::vector<DecoderRow> rows;
  std::vector<HeadQuery> queries;
  const auto width = static_cast<std::int64_t>(padded.at("input_ids")[0].size());
  for (std::size_t p = 0; p < prompts; ++p) {
    const auto ids = padded.at("input_ids")[p].get<std::vector<std::int64_t>>();
    std::int64_t position = 0;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      if (padded.at("attention_mask")[p][t] == 1)
        rows.push_back({ids[t], static_cast<std::int64_t>(p) * width, position++});
    }
    queries.push_back({static_cast<std::int64_t>(rows.size()) - 1, -1, logits[p].data()});
  }
  DecoderLimits limits = small_limits();
  limits.max_rows = static_cast<std::int64_t>(rows.size());
  limits.arena_tokens = width * static_cast<std::int64_t>(prompts);
  limits.max_positions = width;
  std::vector<HeadResult> results(queries.size());
  for (const DecoderKind kind : {DecoderKind::kAutomatic, DecoderKind::kOperators}) {
    make_decoder(weights, limits, kind)->run(rows, queries, results);
    for (std::size_t p = 0; p < prompts; ++p) {
      const auto expected = padded.at("last_logits")[p].get<std::vector<float>>();
      ASSERT_EQ(expected.size(), vocabulary);
      for (std::size_t i = 0; i < vocabulary; ++i) {
        ASSERT_NEAR(logits[p][i], expected[i], 2e-4 * std::max(1.0F, std::abs(expected[i]))) << "prompt " << p;
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Models, GoldenDecoderTest, testing::Values("llama", "llama3-gqa"));

}  // namespace
}  // namespace cutd
