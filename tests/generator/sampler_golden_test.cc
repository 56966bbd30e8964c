#include <gtest/gtest.h>

#include <algorithm>

#include "core/json.h"
#include "generator/sampler.h"
#include "model/model_support.h"

namespace cutd {
namespace {

SamplingConfig config_of(const Json& settings) {
  SamplingConfig config;
  config.temperature = settings.value("temperature", 1.0);
  config.top_k = settings.value("top_k", std::int64_t{0});
  config.top_p = settings.value("top_p", 1.0);
  config.min_p = settings.value("min_p", 0.0);
  config.repetition_penalty = settings.value("repetition_penalty", 1.0);
  return config;
}

// The reference lists by falling probability; among equals any order is right, so both sides go by id.
std::vector<TokenProbability> by_id(std::vector<TokenProbability> rows) {
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return rows;
}

TEST(SamplerGoldenTest, FiltersLeaveHuggingFacesDistributions) {
  if (golden_folder().empty()) GTEST_SKIP() << "no golden data beside the checkout";
  for (const char* model : {"llama", "llama3-gqa"}) {
    const std::filesystem::path folder = golden_folder() / "models" / model;
    const DecoderWeights weights = load_decoder_weights(folder, at::kFloat, at::kCPU);
    const Json golden = read_json_file(folder / "cases.json");
    const Json& sampler = golden.at("sampler");
    const auto named = std::find_if(golden.at("cases").begin(), golden.at("cases").end(),
                                    [&](const Json& one) { return one.at("name") == sampler.at("input_case"); });
    ASSERT_NE(named, golden.at("cases").end());
    const auto ids = named->at("input_ids").get<std::vector<std::int64_t>>();
    const auto length = static_cast<std::int64_t>(ids.size());
    const auto decoder = make_cpu_decoder(weights, {length, 64, length, 1}, best_cpu_level());
    const std::vector<float> logits = run_all(*decoder, ids, 0, 64, weights.config.vocab_size).back();
    for (const Json& one : sampler.at("cases")) {
      const SamplingConfig config = config_of(one.at("settings"));
      std::vector<float> penalised = logits;
      apply_repetition_penalty(penalised, ids, config.repetition_penalty);
      const std::vector<TokenProbability> found = by_id(filtered_distribution(penalised, config));
      std::vector<TokenProbability> expected;
      for (const Json& row : one.at("distribution"))
        expected.push_back({row[0].get<std::int64_t>(), row[1].get<float>()});
      expected = by_id(std::move(expected));
      ASSERT_EQ(found.size(), expected.size()) << model << " " << one.at("settings");
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].id, expected[i].id) << model << " " << one.at("settings");
        EXPECT_NEAR(found[i].probability, expected[i].probability, 1e-5) << model << " " << one.at("settings");
      }
    }
  }
}

}  // namespace
}  // namespace cutd
