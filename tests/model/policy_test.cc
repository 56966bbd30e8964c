#include "model/policy.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/temporary_directory.h"
#include "support/tiny_model.h"

namespace cutd {
namespace {

// An adapter on `kind` of every layer, its values from `seed`.
PeftAdapter tiny_adapter(const std::string& kind, std::uint64_t seed) {
  PeftAdapter adapter;
  adapter.r = 2;
  adapter.lora_alpha = 4;
  const ModelConfig config = tiny_model_config();
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const LinearModule& module : layer_linear_modules(config, layer)) {
      if (module.kind != kind) continue;
      LoraModule& own = adapter.modules[module.name];
      own.in = module.shape.in;
      own.out = module.shape.out;
      for (std::int64_t i = 0; i < adapter.r * own.in; ++i)
        own.a.push_back(philox_uniform(seed, static_cast<std::uint64_t>(i), 1) - 0.5F);
      for (std::int64_t i = 0; i < adapter.r * own.out; ++i)
        own.b.push_back(philox_uniform(seed, static_cast<std::uint64_t>(i), 2) - 0.5F);
    }
  }
  return adapter;
}

// Copies of every matrix an adapter can change.
std::vector<at::Tensor> matrices(const Policy& policy) {
  std::vector<at::Tensor> copies;
  for (const LayerWeights& layer : policy.weights().layers) {
    for (const at::Tensor& matrix : {layer.qkv, layer.output, layer.gate_up, layer.down})
      copies.push_back(matrix.clone());
  }
  return copies;
}

bool equal_bits(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!at::equal(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

class PolicyTest : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  PolicyTest() {
    write_tiny_model(folder_ / "model");
    write_adapter(folder_ / "down", tiny_adapter("down_proj", 1));
    write_adapter(folder_ / "up", tiny_adapter("up_proj", 2));
    write_adapter(folder_ / "query", tiny_adapter("q_proj", 3));
  }
  Policy fresh() const { return Policy(folder_ / "model", GetParam(), at::kCPU); }

  const TemporaryDirectory folder_;
};

TEST_P(PolicyTest, GivesTheSameBitsAfterAnySequenceOfAdaptersAsWithTheLastAlone) {
  Policy alone = fresh();
  alone.set_adapter(folder_ / "up");
  Policy travelled = fresh();
  for (const char* adapter : {"down", "query", "up", "down", "up"}) travelled.set_adapter(folder_ / adapter);
  EXPECT_TRUE(equal_bits(matrices(travelled), matrices(alone)));
  EXPECT_EQ(travelled.adapter_identity(), alone.adapter_identity());
}

TEST_P(PolicyTest, RestoresTheBaseWhenAnAdapterIsTakenBack) {
  Policy policy = fresh();
  const std::vector<at::Tensor> base = matrices(policy);
  policy.set_adapter(folder_ / "down");
  EXPECT_FALSE(equal_bits(matrices(policy), base));
  policy.set_adapter(std::filesystem::path());
  EXPECT_TRUE(equal_bits(matrices(policy), base));
  EXPECT_EQ(policy.adapter_identity(), "");
}

TEST_P(PolicyTest, AddsTheScaledProductToTheAdaptedModuleAlone) {
  Policy policy = fresh();
  const at::Tensor before = module_weight(policy.weights(), "model.layers.1.mlp.up_proj").to(at::kFloat).clone();
  const at::Tensor gate = module_weight(policy.weights(), "model.layers.1.mlp.gate_proj").clone();
  policy.set_adapter(folder_ / "up");
  const LoraAdapter lora = load_lora(folder_ / "up", tiny_model_config(), at::kCPU);
  const LoraMatrices& one = lora.modules.at("model.layers.1.mlp.up_proj");
  const at::Tensor expected = before + 2 * at::mm(one.b, one.a);  // alpha / r = 2
  const double tolerance = GetParam() == at::kFloat ? 1e-6 : 1e-2;
  EXPECT_TRUE(at::allclose(module_weight(policy.weights(), "model.layers.1.mlp.up_proj").to(at::kFloat), expected, 0,
                           tolerance));
  EXPECT_TRUE(at::equal(module_weight(policy.weights(), "model.layers.1.mlp.gate_proj"), gate));
}

TEST_P(PolicyTest, StaysAsItWasWhenAnAdapterCannotBeUsed) {
  Policy policy = fresh();
  policy.set_adapter(folder_ / "down");
  const std::vector<at::Tensor> before = matrices(policy);
  const std::string identity = policy.adapter_identity();
  PeftAdapter stranger = tiny_adapter("up_proj", 4);
  stranger.modules["model.layers.7.mlp.up_proj"] = stranger.modules.begin()->second;
  write_adapter(folder_ / "stranger", stranger);
  EXPECT_THROW(policy.set_adapter(folder_ / "stranger"), Error);
  EXPECT_THROW(policy.set_adapter(folder_ / "absent"), Error);
  EXPECT_TRUE(equal_bits(matrices(policy), before));
  EXPECT_EQ(policy.adapter_identity(), identity);
}

INSTANTIATE_TEST_SUITE_P(Types, PolicyTest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& test) { return test.param == at::kFloat ? "Float32" : "Bfloat16"; });

}  // namespace
}  // namespace cutd
