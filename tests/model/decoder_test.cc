#include "model/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "model/aten_decoder.h"
#include "model/cpu_decoder.h"
#include "support/golden.h"
#include "support/tiny_model.h"

namespace cutd {
namespace {

constexpr std::int64_t kRoom = 160;  // places of every slot in these tests

// Every way to run a decoder on this machine: the operators, and the kernels at each level.
std::vector<std::pair<std::string, std::unique_ptr<Decoder>>> all_decoders(const DecoderWeights& weights, const DecoderLimits& limits) {
  std::vector<std::pair<std::string, std::unique_ptr<Decoder>>> decoders;
  decoders.emplace_back("operators", make_aten_decoder(weights, limits));
  for (const CpuLevel level : available_cpu_levels()) {
    decoders.emplace_back(cpu_level_name(level), make_cpu_decoder(weights, limits, level));
  }
  return decoders;
}

DecoderLimits limits_of(std::int64_t slots) {
  DecoderLimits limits;
  limits.arena_tokens = slots * kRoom;
  limits.max_rows = 64;
  limits.max_positions = kRoom;
  limits.threads = 2;
  return limits;
}

// All logits after the last of `ids`, which are run `step` rows at a time in the slot at `slot_start`.
std::vector<float> last_logits(Decoder& decoder, std::int64_t vocabulary, const std::vector<std::int64_t>& ids, std::size_t step = 64,
                               std::int64_t slot_start = 0) {
  std::vector<float> logits(static_cast<std::size_t>(vocabulary));
  for (std::size_t begin = 0; begin < ids.size(); begin += step) {
    std::vector<DecoderRow> rows;
    for (std::size_t t = begin; t < std::min(begin + step, ids.size()); ++t) rows.push_back({ids[t], slot_start, static_cast<std::int64_t>(t)});
    const HeadQuery query{static_cast<std::int64_t>(rows.size()) - 1, -1, logits.data()};
    HeadResult result;
    decoder.run(rows, std::span(&query, 1), std::span(&result, 1));
  }
  return logits;
}

std::vector<std::int64_t> greedy(Decoder& decoder, std::vector<std::int64_t> ids, std::size_t count) {
  std::vector<std::int64_t> chosen;
  std::size_t run = 0;
  while (chosen.size() < count) {
    std::vector<DecoderRow> rows;
    for (; run < ids.size(); ++run) rows.push_back({ids[run], 0, static_cast<std::int64_t>(run)});
    const HeadQuery query{static_cast<std::int64_t>(rows.size()) - 1, -1, nullptr};
    HeadResult result;
    decoder.run(rows, std::span(&query, 1), std::span(&result, 1));
    chosen.push_back(result.best);
    ids.push_back(result.best);
  }
  return chosen;
}

void expect_near(const std::vector<float>& got, const std::vector<double>& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 2e-4 * std::max(1.0, std::abs(expected[i]))) << what << ", logit " << i;
  }
}

class DecoderTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (golden_folder().empty()) GTEST_SKIP() << "no golden data beside the checkout";
    folder_ = golden_folder() / "models" / GetParam();
    cases_ = read_json_file(folder_ / "cases.json");
    weights_ = load_decoder_weights(folder_, at::kFloat, at::kCPU);
  }

  std::filesystem::path folder_;
  Json cases_;
  DecoderWeights weights_;
};

TEST_P(DecoderTest, GivesTheReferenceLogitsHoweverThePromptIsCut) {
  for (const auto& [name, decoder] : all_decoders(weights_, limits_of(1))) {
    for (const Json& one : cases_["cases"]) {
      const auto ids = one["input_ids"].get<std::vector<std::int64_t>>();
      for (std::size_t p = 0; p < one["logits_positions"].size(); ++p) {
        const auto place = one["logits_positions"][p].get<std::ptrdiff_t>();
        const std::vector<std::int64_t> prefix(ids.begin(), ids.begin() + place + 1);
        const auto expected = one["logits"][p].get<std::vector<double>>();
        for (const std::size_t step : {64, 7, 1}) {
          expect_near(last_logits(*decoder, weights_.config.vocab_size, prefix, step), expected, name + " " + one["name"].get<std::string>());
        }
      }
    }
  }
}

TEST_P(DecoderTest, GivesTheReferenceGreedyTokens) {
  for (const auto& [name, decoder] : all_decoders(weights_, limits_of(1))) {
    for (const Json& one : cases_["cases"]) {
      EXPECT_EQ(greedy(*decoder, one["input_ids"].get<std::vector<std::int64_t>>(), 48), one["greedy_48"].get<std::vector<std::int64_t>>())
          << name << " " << one["name"];
    }
  }
}

TEST_P(DecoderTest, NeedsNoPaddingToGiveWhatAPaddedBatchGives) {
  const Json& batch = cases_["padded_batch"];
  for (const auto& [name, decoder] : all_decoders(weights_, limits_of(static_cast<std::int64_t>(batch["input_ids"].size())))) {
    for (std::size_t i = 0; i < batch["input_ids"].size(); ++i) {
      std::vector<std::int64_t> ids;
      for (std::size_t t = 0; t < batch["input_ids"][i].size(); ++t) {
        if (batch["attention_mask"][i][t] == 1) ids.push_back(batch["input_ids"][i][t].get<std::int64_t>());
      }
      expect_near(last_logits(*decoder, weights_.config.vocab_size, ids, 64, static_cast<std::int64_t>(i) * kRoom),
                  batch["last_logits"][i].get<std::vector<double>>(), name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, DecoderTest, ::testing::Values("llama", "llama3-gqa"),
                         [](const auto& test) { return std::string(test.param) == "llama" ? "Llama" : "Llama3Gqa"; });

class SmallDecoderTest : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  const ModelConfig config_ = tiny_model_config();
  const DecoderWeights weights_ = random_decoder_weights(config_, GetParam(), at::kCPU, 5);
};

TEST_P(SmallDecoderTest, GivesARowTheSameBitsWhateverElseIsInTheBatch) {
  const std::vector<std::int64_t> ids = tiny_ids(21, 1);
  for (const CpuLevel level : available_cpu_levels()) {
    const auto decoder = make_cpu_decoder(weights_, limits_of(9), level);
    const std::vector<float> alone = last_logits(*decoder, config_.vocab_size, ids, 1);
    for (const std::int64_t companions : {1, 2, 3, 5, 8}) {
      std::vector<float> together(static_cast<std::size_t>(config_.vocab_size));
      for (std::size_t t = 0; t < ids.size(); ++t) {
        std::vector<DecoderRow> rows;
        for (std::int64_t c = 0; c < companions; ++c) {  // others before it, one position behind or ahead of nothing
          rows.push_back({(ids[t] + c) % config_.vocab_size, (c + 1) * kRoom, static_cast<std::int64_t>(t)});
        }
        rows.push_back({ids[t], 0, static_cast<std::int64_t>(t)});
        const HeadQuery query{companions, -1, together.data()};
        HeadResult result;
        decoder->run(rows, std::span(&query, 1), std::span(&result, 1));
      }
      EXPECT_EQ(together, alone) << cpu_level_name(level) << " with " << companions << " others";
    }
  }
}

TEST_P(SmallDecoderTest, AgreesBetweenKernelsAndOperators) {
  const double tolerance = GetParam() == at::kFloat ? 1e-4 : 5e-2;
  const std::vector<std::int64_t> ids = tiny_ids(40, 3);
  const auto operators = make_aten_decoder(weights_, limits_of(1));
  const std::vector<float> expected = last_logits(*operators, config_.vocab_size, ids);
  for (const CpuLevel level : available_cpu_levels()) {
    const auto decoder = make_cpu_decoder(weights_, limits_of(1), level);
    EXPECT_THAT(last_logits(*decoder, config_.vocab_size, ids), ::testing::Pointwise(::testing::FloatNear(static_cast<float>(tolerance)), expected))
        << cpu_level_name(level);
  }
}

TEST_P(SmallDecoderTest, RefusesRowsOutsideItsLimits) {
  const auto decoder = make_decoder(weights_, limits_of(1));
  const auto run_one = [&](const DecoderRow& row) { decoder->run(std::span(&row, 1), {}, {}); };
  EXPECT_NO_THROW(run_one({3, 0, 0}));
  EXPECT_THROW(run_one({config_.vocab_size, 0, 0}), Error);
  EXPECT_THROW(run_one({-1, 0, 0}), Error);
  EXPECT_THROW(run_one({3, 0, kRoom}), Error);
  EXPECT_THROW(run_one({3, kRoom, 0}), Error);
}

TEST_P(SmallDecoderTest, GivesTheTargetsLogProbability) {
  const auto decoder = make_decoder(weights_, limits_of(1));
  std::vector<float> logits(static_cast<std::size_t>(config_.vocab_size));
  const DecoderRow row{9, 0, 0};
  const HeadQuery query{0, 17, logits.data()};
  HeadResult result;
  decoder->run(std::span(&row, 1), std::span(&query, 1), std::span(&result, 1));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  EXPECT_NEAR(result.logprob(result.target_logit), logits[17] - std::log(sum), 1e-5);
  EXPECT_EQ(result.best, std::max_element(logits.begin(), logits.end()) - logits.begin());
}

INSTANTIATE_TEST_SUITE_P(Types, SmallDecoderTest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& test) { return test.param == at::kFloat ? "Float32" : "Bfloat16"; });

}  // namespace
}  // namespace cutd
