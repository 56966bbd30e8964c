// Writes adapters for tests/python/test_peft.py, which loads them with Hugging Face PEFT:
//   CUTD_EXPORT_DIR=DIR weights_test --gtest_filter='PeftExportTest.*'
#include <random>

#include "weights/model_layout.h"
#include "weights/peft.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

PeftAdapter make_adapter(const ModelConfig& config, std::int64_t r, double alpha, const std::vector<std::string>& kinds,
                         unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1F);
  PeftAdapter adapter;
  adapter.r = r;
  adapter.lora_alpha = alpha;
  adapter.base_model_name_or_path = "golden/models/llama";
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const LinearModule& linear : layer_linear_modules(config, layer)) {
      if (std::find(kinds.begin(), kinds.end(), linear.kind) == kinds.end()) continue;
      LoraModule& module = adapter.modules[linear.name];
      module.in = linear.shape.in;
      module.out = linear.shape.out;
      for (std::int64_t i = 0; i < r * module.in; ++i) module.a.push_back(normal(random));
      for (std::int64_t i = 0; i < r * module.out; ++i) module.b.push_back(normal(random));
    }
  }
  return adapter;
}

TEST(PeftExportTest, WritesParentDeltaAndTheirSum) {
  const char* directory = std::getenv("CUTD_EXPORT_DIR");
  if (directory == nullptr) GTEST_SKIP() << "CUTD_EXPORT_DIR is not set (tests/python/test_peft.py sets it)";
  const auto model = golden("models/llama");
  if (!model) GTEST_SKIP() << "golden data (../shared) is not here";
  const ModelConfig config = read_model_config(*model);
  const PeftAdapter parent = make_adapter(config, 4, 6, {"gate_proj", "up_proj", "down_proj"}, 1);
  const PeftAdapter delta = make_adapter(config, 3, 5, {"q_proj", "o_proj", "down_proj"}, 2);
  const std::filesystem::path root = directory;
  write_adapter(root / "parent", parent);
  write_adapter(root / "delta", delta);
  write_adapter(root / "sum", concatenate_adapters(parent, delta));
  EXPECT_EQ(read_adapter(root / "sum", config).r, 7);
}

}  // namespace
}  // namespace cutd
