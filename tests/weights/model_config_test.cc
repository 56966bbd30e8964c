#include "weights/model_config.h"

#include "core/json.h"
#include "weights/model_layout.h"
#include "weights/safetensors_writer.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json minimal() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", 64},
          {"intermediate_size", 160},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"vocab_size", 384}};
}

ModelConfig parse(const Json& config, const Json& generation = Json()) {
  return parse_model_config(config, generation, "config.json");
}

std::string refusal_with(const char* key, const Json& value) {
  Json config = minimal();
  config[key] = value;
  return refusal([&] { parse(config); });
}

TEST(ModelConfigTest, FillsInTheDefaultsOfTheFamily) {
  const ModelConfig config = parse(minimal());
  EXPECT_EQ(config.kv_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.rms_norm_eps, 1e-6);
  EXPECT_EQ(config.rope, RopeConfig());
  EXPECT_EQ(config.max_position_embeddings, 2048);
  EXPECT_FALSE(config.tie_word_embeddings);
  EXPECT_FALSE(config.qkv_bias);
  EXPECT_EQ(config.dtype, DType::kF32);
  EXPECT_TRUE(config.eos_token_ids.empty());
}

TEST(ModelConfigTest, ReadsBothDialectsAlike) {
  Json version5 = minimal();
  version5["dtype"] = "bfloat16";
  version5["rope_parameters"] = {{"rope_type", "llama3"},   {"rope_theta", 5e5},
                                 {"factor", 8.0},           {"low_freq_factor", 1.0},
                                 {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 8192}};
  for (const char* type_key : {"rope_type", "type"}) {
    Json version4 = minimal();
    version4["torch_dtype"] = "bfloat16";
    version4["rope_theta"] = 5e5;
    version4["rope_scaling"] = {{type_key, "llama3"},
                                {"factor", 8},
                                {"low_freq_factor", 1.0},
                                {"high_freq_factor", 4.0},
                                {"original_max_position_embeddings", 8192}};
    EXPECT_EQ(parse(version4), parse(version5)) << type_key;
  }
  EXPECT_EQ(parse(version5).rope.type, RopeType::kLlama3);
  EXPECT_EQ(parse(version5).rope.theta, 5e5);
  EXPECT_EQ(parse(version5).dtype, DType::kBF16);
}

TEST(ModelConfigTest, ReadsLinearScalingAndNoScaling) {
  Json config = minimal();
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  EXPECT_EQ(parse(config).rope.type, RopeType::kLinear);
  EXPECT_EQ(parse(config).rope.factor, 2.0);
  config["rope_scaling"] = nullptr;
  EXPECT_EQ(parse(config).rope.type, RopeType::kDefault);
}

TEST(ModelConfigTest, TakesTheEosListOfTheGenerationConfigFirst) {
  Json config = minimal();
  config["eos_token_id"] = 2;
  EXPECT_THAT(parse(config).eos_token_ids, ElementsAre(2));
  EXPECT_THAT(parse(config, {{"eos_token_id", {5, 6}}}).eos_token_ids, ElementsAre(5, 6));
  EXPECT_THAT(parse(config, {{"temperature", 0.7}}).eos_token_ids, ElementsAre(2));
}

TEST(ModelConfigTest, AttentionBiasIsOnAllFourProjections) {
  Json config = minimal();
  config["attention_bias"] = true;
  EXPECT_TRUE(parse(config).qkv_bias);
  EXPECT_TRUE(parse(config).attention_output_bias);
  EXPECT_FALSE(parse(config).mlp_bias);
}

TEST(ModelConfigTest, NamesAnUnsupportedFamily) {
  Json config = minimal();
  config["architectures"] = {"Qwen2ForCausalLM"};
  config["model_type"] = "qwen2";
  EXPECT_EQ(refusal([&] { parse(config); }), "config.json: model family \"qwen2\" is not supported (supported: llama)");
  config.erase("architectures");
  EXPECT_THAT(refusal([&] { parse(config); }), HasSubstr("\"qwen2\""));
  config["model_type"] = "llama";
  EXPECT_EQ(parse(config).architecture, "LlamaForCausalLM");
  config["architectures"] = {"LlamaForSequenceClassification"};
  EXPECT_THAT(refusal([&] { parse(config); }), HasSubstr("LlamaForSequenceClassification"));
}

TEST(ModelConfigTest, NamesEveryMissingKey) {
  for (const char* key :
       {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"}) {
    Json config = minimal();
    config.erase(key);
    EXPECT_EQ(refusal([&] { parse(config); }), std::string("config.json: key \"") + key + "\" is missing");
  }
}

TEST(ModelConfigTest, RefusesAbsurdValues) {
  EXPECT_EQ(refusal_with("num_hidden_layers", 1'000'000'000),
            "config.json: key \"num_hidden_layers\" must lie in [1, 4096], not 1000000000");
  EXPECT_THAT(refusal_with("num_hidden_layers", 0), HasSubstr("num_hidden_layers"));
  EXPECT_THAT(refusal_with("hidden_size", -64), HasSubstr("hidden_size"));
  EXPECT_THAT(refusal_with("hidden_size", 18446744073709551615U), HasSubstr("hidden_size"));
  EXPECT_THAT(refusal_with("vocab_size", 1LL << 40), HasSubstr("vocab_size"));
  EXPECT_THAT(refusal_with("head_dim", 15), HasSubstr("head_dim"));
  EXPECT_THAT(refusal_with("head_dim", 1 << 20), HasSubstr("head_dim"));
  EXPECT_THAT(refusal_with("num_key_value_heads", 3), HasSubstr("must divide"));
  EXPECT_THAT(refusal_with("num_attention_heads", 5), HasSubstr("must divide hidden_size"));
  EXPECT_THAT(refusal_with("rms_norm_eps", 0), HasSubstr("rms_norm_eps"));
  EXPECT_THAT(refusal_with("rope_theta", -1), HasSubstr("rope_theta"));
  EXPECT_THAT(refusal_with("eos_token_id", 384), HasSubstr("eos_token_id"));
}

TEST(ModelConfigTest, RefusesWrongTypes) {
  EXPECT_EQ(refusal_with("hidden_size", "64"), "config.json: key \"hidden_size\" must be an integer, not \"64\"");
  EXPECT_THAT(refusal_with("hidden_size", 64.5), HasSubstr("must be an integer"));
  EXPECT_THAT(refusal_with("rms_norm_eps", "1e-5"), HasSubstr("must be a number"));
  EXPECT_THAT(refusal_with("tie_word_embeddings", 1), HasSubstr("must be true or false"));
  EXPECT_THAT(refusal_with("rope_scaling", 5), HasSubstr("rope_scaling"));
  EXPECT_THAT(refusal_with("eos_token_id", Json::array({"x"})), HasSubstr("eos_token_id"));
  EXPECT_THAT(refusal_with("architectures", "LlamaForCausalLM"), HasSubstr("architectures"));
  EXPECT_THAT(refusal([] { parse(Json::array()); }), HasSubstr("not a JSON object"));
}

TEST(ModelConfigTest, RefusesWhatItWouldComputeWrongly) {
  EXPECT_THAT(refusal_with("hidden_act", "gelu"), HasSubstr("\"gelu\" is not supported (supported: silu)"));
  EXPECT_THAT(refusal_with("rope_scaling", {{"type", "yarn"}, {"factor", 4.0}}),
              HasSubstr("\"yarn\" is not supported"));
  EXPECT_THAT(refusal_with("rope_scaling", {{"type", "linear"}}), HasSubstr("factor"));
  EXPECT_THAT(refusal_with("rope_scaling", {{"type", "llama3"}, {"factor", 8.0}}), HasSubstr("low_freq_factor"));
  EXPECT_THAT(refusal_with("rope_parameters", {{"partial_rotary_factor", 0.5}}), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(refusal_with("quantization_config", {{"quant_method", "gptq"}}), HasSubstr("quantization_config"));
  EXPECT_THAT(refusal_with("torch_dtype", "float8_e4m3fn"), HasSubstr("torch_dtype"));
}

TEST(ModelConfigTest, WhatItWritesReadsBackEqual) {
  ModelConfig config = tiny_config();
  EXPECT_EQ(parse(model_config_to_json(config)), config);
  config.rope = {RopeType::kLlama3, 5e5, 32, 1, 4, 8192};
  config.eos_token_ids = {2, 3};
  config.tie_word_embeddings = config.qkv_bias = config.attention_output_bias = config.mlp_bias = true;
  config.dtype = DType::kBF16;
  EXPECT_EQ(parse(model_config_to_json(config)), config);
  config.rope = {RopeType::kLinear, 1e4, 4, 1, 4, 8192};
  EXPECT_EQ(parse(model_config_to_json(config)), config);
}

TEST(ModelConfigTest, GoldenDialectsAreEqualAndOtherFamiliesAreRefused) {
  const auto models = golden("models");
  if (!models) GTEST_SKIP() << "golden data (../shared) is not here";
  const Json version5 = read_json_file(*models / "llama3-gqa/config.json");
  const Json version4 = read_json_file(*models / "llama3-gqa/config.v4.json");
  EXPECT_EQ(parse(version4), parse(version5));
  EXPECT_EQ(parse(version5).rope, (RopeConfig{RopeType::kLlama3, 500, 8, 1, 4, 64}));
  for (const char* name : {"llama", "llama3-gqa"}) {
    check_model_tensors(read_model_config(*models / name), ModelTensors(*models / name), name);
  }
  for (const char* name : {"qwen2", "qwen3", "mistral", "gemma2", "gemma3"}) {
    EXPECT_THAT(refusal([&] { read_model_config(*models / name); }), HasSubstr("is not supported (supported: llama)"));
  }
}

class ModelLayoutTest : public ::testing::Test {
 protected:
  // A model folder whose tensors are `config`'s, changed by `change`.
  std::string check_refusal(const std::function<void(std::vector<TensorView>&)>& change) {
    std::vector<TensorView> tensors;
    for (const TensorSpec& spec : model_tensor_specs(config_)) {
      TensorView view{spec.name, DType::kF32, spec.shape, {}};
      view.bytes = std::span(zeros_).first(static_cast<std::size_t>(view.elements()) * 4);
      tensors.push_back(view);
    }
    change(tensors);
    write_safetensors(folder_ / "model.safetensors", tensors);
    return refusal([&] { check_model_tensors(config_, ModelTensors(folder_.path()), "m"); });
  }

  ModelConfig config_ = tiny_config();
  const std::vector<std::byte> zeros_ = std::vector<std::byte>(4096);
  TemporaryDirectory folder_;
};

TEST_F(ModelLayoutTest, CountsTheTensorsOfALayer) {
  EXPECT_EQ(model_tensor_specs(config_).size(), 2U * 9 + 3);
  config_.tie_word_embeddings = config_.qkv_bias = true;
  EXPECT_EQ(model_tensor_specs(config_).size(), 2U * 12 + 2);
}

TEST_F(ModelLayoutTest, NamesATensorThatDoesNotFit) {
  EXPECT_EQ(check_refusal([](auto& tensors) { tensors.erase(tensors.begin() + 2); }),
            "m: tensor \"model.layers.0.self_attn.q_proj.weight\" is missing");
  EXPECT_EQ(check_refusal([](auto& tensors) { std::swap(tensors[0].shape[0], tensors[0].shape[1]); }),
            "m: tensor \"model.embed_tokens.weight\" has shape [8, 16] but the configuration needs [16, 8]");
  EXPECT_EQ(check_refusal([](auto& tensors) { tensors[0].dtype = DType::kI32; }),
            "m: tensor \"model.embed_tokens.weight\" has the element type I32, which is not supported");
  EXPECT_EQ(
      check_refusal([&](auto& tensors) {
        tensors.push_back({"model.layers.0.self_attn.q_proj.bias", DType::kF32, {8}, std::span(zeros_).first(32)});
      }),
      "m: tensor \"model.layers.0.self_attn.q_proj.bias\" is not part of the configured model");
}

}  // namespace
}  // namespace cutd
