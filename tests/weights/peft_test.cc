#include "weights/peft.h"

#include <cmath>
#include <limits>
#include <random>

#include "core/files.h"
#include "core/json.h"
#include "weights/model_layout.h"
#include "weights/safetensors_writer.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

LoraModule random_module(LinearShape shape, std::int64_t r, std::mt19937& random) {
  std::normal_distribution<float> normal;
  LoraModule module;
  module.in = shape.in;
  module.out = shape.out;
  for (std::int64_t i = 0; i < r * shape.in; ++i) module.a.push_back(normal(random));
  for (std::int64_t i = 0; i < r * shape.out; ++i) module.b.push_back(normal(random));
  return module;
}

PeftAdapter random_adapter(std::int64_t r, double alpha, const std::vector<std::string>& kinds, unsigned seed) {
  std::mt19937 random(seed);
  PeftAdapter adapter;
  adapter.r = r;
  adapter.lora_alpha = alpha;
  adapter.base_model_name_or_path = "base";
  const ModelConfig config = tiny_config();
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const LinearModule& module : layer_linear_modules(config, layer)) {
      if (std::find(kinds.begin(), kinds.end(), module.kind) == kinds.end()) continue;
      adapter.modules[module.name] = random_module(module.shape, r, random);
    }
  }
  return adapter;
}

// scale * B A of one module in double, [out, in]; zeros when the adapter lacks it.
std::vector<double> product(const PeftAdapter& adapter, const std::string& name, LinearShape shape) {
  std::vector<double> result(static_cast<std::size_t>(shape.out * shape.in));
  const auto place = adapter.modules.find(name);
  if (place == adapter.modules.end()) return result;
  const LoraModule& module = place->second;
  for (std::int64_t i = 0; i < shape.out; ++i) {
    for (std::int64_t k = 0; k < adapter.r; ++k) {
      const double b = adapter.scale() * module.b[static_cast<std::size_t>(i * adapter.r + k)];
      for (std::int64_t j = 0; j < shape.in; ++j) {
        result[static_cast<std::size_t>(i * shape.in + j)] += b * module.a[static_cast<std::size_t>(k * shape.in + j)];
      }
    }
  }
  return result;
}

void expect_same_modules(const PeftAdapter& left, const PeftAdapter& right) {
  ASSERT_EQ(left.modules.size(), right.modules.size());
  for (const auto& [name, module] : left.modules) {
    ASSERT_TRUE(right.modules.contains(name)) << name;
    EXPECT_EQ(module.a, right.modules.at(name).a) << name;
    EXPECT_EQ(module.b, right.modules.at(name).b) << name;
  }
}

class PeftTest : public ::testing::Test {
 protected:
  PeftTest() { write_adapter(directory(), random_adapter(2, 4, {"up_proj", "q_proj"}, 1)); }

  std::filesystem::path directory() const { return folder_ / "adapter"; }
  PeftAdapter read() const { return read_adapter(directory(), tiny_config()); }

  std::string refusal_with(const char* key, const Json& value) {
    const std::string original = read_file(directory() / "adapter_config.json");
    Json config = parse_json(original, "adapter_config.json");
    config[key] = value;
    write_raw(directory() / "adapter_config.json", to_json_text(config));
    const std::string message = refusal([&] { read(); });
    write_raw(directory() / "adapter_config.json", original);
    return message;
  }

  std::string refusal_after(const std::function<void(std::vector<TensorView>&)>& change) {
    const std::string original = read_file(directory() / "adapter_model.safetensors");
    {
      const SafetensorsHeader header = parse_safetensors(as_span(original), "");
      std::vector<TensorView> tensors = header.tensors;
      change(tensors);
      write_safetensors(directory() / "adapter_model.safetensors", tensors);
    }
    const std::string message = refusal([&] { read(); });
    write_raw(directory() / "adapter_model.safetensors", original);
    return message;
  }

  TemporaryDirectory folder_;
};

TEST_F(PeftTest, ReadsWhatItWrote) {
  PeftAdapter adapter = random_adapter(3, 4.5, {"down_proj", "k_proj"}, 5);
  adapter.lora_dropout = 0.05;
  adapter.use_rslora = true;
  adapter.base_model_hash = "abc";
  write_adapter(folder_ / "other", adapter);
  const PeftAdapter back = read_adapter(folder_ / "other", tiny_config());
  EXPECT_EQ(back.r, 3);
  EXPECT_EQ(back.lora_alpha, 4.5);
  EXPECT_EQ(back.lora_dropout, 0.05);
  EXPECT_DOUBLE_EQ(back.scale(), 4.5 / std::sqrt(3.0));
  EXPECT_EQ(back.base_model_name_or_path, "base");
  EXPECT_EQ(back.base_model_hash, "abc");
  EXPECT_THAT(back.target_modules(), ElementsAre("down_proj", "k_proj"));
  expect_same_modules(back, adapter);
  EXPECT_EQ(adapter_hash(back), adapter_hash(adapter));
}

TEST_F(PeftTest, WritesTheSameBytesTwice) {
  write_adapter(folder_ / "again", random_adapter(2, 4, {"up_proj", "q_proj"}, 1));
  EXPECT_EQ(hash_directory(folder_ / "again"), hash_directory(directory()));
}

TEST_F(PeftTest, WritesEveryKeyPeftExpects) {
  const Json config = read_json_file(directory() / "adapter_config.json");
  EXPECT_EQ(config.at("peft_type"), "LORA");
  EXPECT_EQ(config.at("task_type"), "CAUSAL_LM");
  EXPECT_EQ(config.at("target_modules"), Json({"q_proj", "up_proj"}));
  EXPECT_EQ(config.at("r"), 2);
  EXPECT_TRUE(config.at("lora_alpha").is_number_integer());
  for (const char* key : {"base_model_name_or_path", "revision", "lora_dropout", "bias", "fan_in_fan_out", "use_rslora",
                          "use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "layers_to_transform",
                          "layers_pattern", "init_lora_weights", "inference_mode"}) {
    EXPECT_TRUE(config.contains(key)) << key;
  }
  const SafetensorsFile file(directory() / "adapter_model.safetensors");
  EXPECT_NE(file.find("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"), nullptr);
  EXPECT_EQ(file.at("base_model.model.model.layers.1.mlp.up_proj.lora_B.weight").shape,
            (std::vector<std::int64_t>{12, 2}));
}

TEST_F(PeftTest, RefusesFeaturesThatWouldChangeTheResult) {
  EXPECT_EQ(refusal_with("use_dora", true),
            (directory() / "adapter_config.json").string() + ": key \"use_dora\" true is not supported");
  EXPECT_THAT(refusal_with("rank_pattern", {{"q_proj", 4}}), HasSubstr("rank_pattern"));
  EXPECT_THAT(refusal_with("alpha_pattern", {{"q_proj", 4}}), HasSubstr("alpha_pattern"));
  EXPECT_THAT(refusal_with("lora_bias", true), HasSubstr("lora_bias"));
  EXPECT_THAT(refusal_with("bias", "all"), HasSubstr("\"bias\""));
  EXPECT_THAT(refusal_with("modules_to_save", {"lm_head"}), HasSubstr("modules_to_save"));
  EXPECT_THAT(refusal_with("fan_in_fan_out", true), HasSubstr("fan_in_fan_out"));
  EXPECT_THAT(refusal_with("init_lora_weights", "pissa_niter_4"), HasSubstr("init_lora_weights"));
  EXPECT_THAT(refusal_with("peft_type", "LOHA"), HasSubstr("peft_type"));
  EXPECT_THAT(refusal_with("r", 0), HasSubstr("\"r\""));
  EXPECT_THAT(refusal_with("r", 1e9), HasSubstr("\"r\""));
  EXPECT_THAT(refusal_with("lora_alpha", "16"), HasSubstr("lora_alpha"));
  EXPECT_THAT(refusal_with("lora_dropout", 1.5), HasSubstr("lora_dropout"));
  EXPECT_THAT(refusal_with("target_modules", nullptr), HasSubstr("target_modules"));
}

TEST_F(PeftTest, IgnoresUnknownKeysAndUnusedFeatures) {
  Json config = read_json_file(directory() / "adapter_config.json");
  config["peft_version"] = "9.9";
  config["brand_new"] = {{"a", 1}};
  config["megatron_core"] = "megatron.core";
  config["loftq_config"] = Json::object();
  config["arrow_config"] = nullptr;
  write_raw(directory() / "adapter_config.json", to_json_text(config));
  EXPECT_EQ(read().modules.size(), 4U);
}

TEST_F(PeftTest, RefusesTensorsThatDoNotFitTheModel) {
  const std::string first = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight";
  EXPECT_THAT(refusal_after([](auto& tensors) { tensors.erase(tensors.begin()); }),
              AllOf(HasSubstr(first), HasSubstr("is missing")));
  EXPECT_THAT(refusal_after([](auto& tensors) { std::swap(tensors[0].shape[0], tensors[0].shape[1]); }),
              AllOf(HasSubstr(first), HasSubstr("has shape [8, 2] but model and rank need [2, 8]")));
  EXPECT_THAT(refusal_after(
                  [](auto& tensors) { tensors[0].name = "base_model.model.model.layers.7.mlp.up_proj.lora_A.weight"; }),
              HasSubstr("a module that this model does not have"));
  EXPECT_THAT(refusal_after([](auto& tensors) { tensors[0].name = "base_model.model.lm_head.weight"; }),
              HasSubstr("is not a LoRA matrix"));
  EXPECT_THAT(refusal_after([](auto& tensors) { tensors[0].dtype = DType::kI32; }), HasSubstr("element type I32"));
  EXPECT_THAT(refusal_after([](auto& tensors) { tensors.clear(); }), HasSubstr("no LoRA matrix"));
  const std::vector<float> bad(16, std::numeric_limits<float>::infinity());
  EXPECT_THAT(refusal_after([&](auto& tensors) { tensors[0].bytes = std::as_bytes(std::span(bad)); }),
              HasSubstr("not finite at index 0"));
  EXPECT_THAT(refusal_with("target_modules", {"q_proj"}), AllOf(HasSubstr(first), HasSubstr("target_modules")));
}

TEST_F(PeftTest, ReadsHalfPrecisionAsFloat) {
  PeftAdapter adapter = random_adapter(2, 4, {"up_proj", "q_proj"}, 1);
  const std::string original = read_file(directory() / "adapter_model.safetensors");
  std::vector<TensorView> tensors = parse_safetensors(as_span(original), "").tensors;
  std::vector<std::vector<std::byte>> storage;
  for (TensorView& tensor : tensors) {
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    convert_to_float(DType::kF32, tensor.bytes, values);
    storage.emplace_back(values.size() * 2);
    convert_from_float(DType::kBF16, values, storage.back());
    tensor.dtype = DType::kBF16;
    tensor.bytes = storage.back();
  }
  write_safetensors(directory() / "adapter_model.safetensors", tensors);
  const auto& [name, module] = *adapter.modules.begin();
  const std::vector<float> read_back = read().modules.at(name).a;
  for (std::size_t i = 0; i < module.a.size(); ++i)
    EXPECT_EQ(read_back[i], bfloat16_to_float(float_to_bfloat16(module.a[i])));
}

TEST(ConcatenateAdaptersTest, DoesWhatBothTogetherDo) {
  const PeftAdapter parent = random_adapter(2, 2, {"q_proj", "up_proj"}, 1);
  const PeftAdapter delta = random_adapter(3, 6, {"up_proj", "down_proj"}, 2);
  const PeftAdapter sum = concatenate_adapters(parent, delta);
  EXPECT_EQ(sum.r, 5);
  EXPECT_EQ(sum.lora_alpha, 5);
  EXPECT_EQ(sum.scale(), 1);
  EXPECT_THAT(sum.target_modules(), ElementsAre("down_proj", "q_proj", "up_proj"));
  const ModelConfig config = tiny_config();
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const LinearModule& module : layer_linear_modules(config, layer)) {
      const std::vector<double> first = product(parent, module.name, module.shape);
      const std::vector<double> second = product(delta, module.name, module.shape);
      const std::vector<double> joint = product(sum, module.name, module.shape);
      // Scales 1 and 2 fold into B without rounding, so the products agree to the last bits of double.
      for (std::size_t i = 0; i < joint.size(); ++i) ASSERT_NEAR(joint[i], first[i] + second[i], 1e-13) << module.name;
    }
  }
}

TEST(ConcatenateAdaptersTest, KeepsEveryValueWhenScalesAreOne) {
  const PeftAdapter parent = random_adapter(2, 2, {"q_proj"}, 1);
  const PeftAdapter delta = random_adapter(1, 1, {"q_proj"}, 2);
  const std::string name = parent.modules.begin()->first;
  const LoraModule joint = concatenate_adapters(parent, delta).modules.at(name);
  const LoraModule& first = parent.modules.at(name);
  const LoraModule& second = delta.modules.at(name);
  std::vector<float> a = first.a;
  a.insert(a.end(), second.a.begin(), second.a.end());
  EXPECT_EQ(joint.a, a);
  for (std::size_t row = 0; row < 8; ++row) {
    EXPECT_EQ(joint.b[row * 3], first.b[row * 2]);
    EXPECT_EQ(joint.b[row * 3 + 1], first.b[row * 2 + 1]);
    EXPECT_EQ(joint.b[row * 3 + 2], second.b[row]);
  }
}

TEST(ConcatenateAdaptersTest, FillsModulesOfOnlyOneWithZeros) {
  const PeftAdapter parent = random_adapter(2, 2, {"q_proj"}, 1);
  const PeftAdapter delta = random_adapter(1, 1, {"k_proj"}, 2);
  const PeftAdapter sum = concatenate_adapters(parent, delta);
  const LoraModule& query = sum.modules.at("model.layers.0.self_attn.q_proj");
  EXPECT_EQ(std::vector<float>(query.a.begin() + 16, query.a.end()), std::vector<float>(8, 0.0F));
  const LoraModule& key = sum.modules.at("model.layers.0.self_attn.k_proj");
  EXPECT_EQ(std::vector<float>(key.a.begin(), key.a.begin() + 16), std::vector<float>(16, 0.0F));
}

TEST(ConcatenateAdaptersTest, RefusesAdaptersOfDifferentBases) {
  PeftAdapter parent = random_adapter(2, 2, {"q_proj"}, 1);
  PeftAdapter delta = random_adapter(2, 2, {"q_proj"}, 2);
  parent.base_model_hash = "one";
  delta.base_model_hash = "two";
  EXPECT_THAT(refusal([&] { concatenate_adapters(parent, delta); }), HasSubstr("for the base models one and two"));
  delta.base_model_hash.clear();
  EXPECT_EQ(concatenate_adapters(parent, delta).base_model_hash, "one");
  delta.modules.begin()->second.in = 4;
  EXPECT_THAT(refusal([&] { concatenate_adapters(parent, delta); }), HasSubstr("do not fit together: module"));
}

TEST(CheckAdapterBaseTest, RefusesTheAdapterOfAnotherBase) {
  PeftAdapter adapter = random_adapter(2, 2, {"q_proj"}, 1);
  check_adapter_base(adapter, "one", "folder");
  adapter.base_model_hash = "two";
  check_adapter_base(adapter, "two", "folder");
  EXPECT_EQ(refusal([&] { check_adapter_base(adapter, "one", "folder"); }),
            "folder: this adapter belongs to the base model two (base), not to one");
}

TEST(AdapterHashTest, DependsOnValuesNotOnPlaces) {
  PeftAdapter adapter = random_adapter(2, 2, {"q_proj"}, 1);
  const std::string hash = adapter_hash(adapter);
  adapter.base_model_name_or_path = "elsewhere";
  EXPECT_EQ(adapter_hash(adapter), hash);
  adapter.modules.begin()->second.b[3] += 1;
  EXPECT_NE(adapter_hash(adapter), hash);
  adapter = random_adapter(2, 3, {"q_proj"}, 1);
  EXPECT_NE(adapter_hash(adapter), hash);
}

TEST(GoldenAdapterTest, ReadsTheAdapterPeftWrote) {
  const auto folder = golden("cut-loss/tiny-llama/adapter");
  if (!folder) GTEST_SKIP() << "golden data (../shared) is not here";
  const PeftAdapter adapter = read_adapter(*folder, read_model_config(*golden("models/llama")));
  EXPECT_EQ(adapter.r, 4);
  EXPECT_EQ(adapter.scale(), 2);
  EXPECT_EQ(adapter.modules.size(), 6U);
  EXPECT_THAT(refusal([&] { read_adapter(*folder, read_model_config(*golden("models/llama3-gqa"))); }),
              HasSubstr("but model and rank need"));
}

}  // namespace
}  // namespace cutd
