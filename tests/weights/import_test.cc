#include "weights/import.h"

#include <chrono>

#include "core/files.h"
#include "core/json.h"
#include "core/sanitized.h"
#include "text/tokenizer.h"
#include "weights/fingerprint.h"
#include "weights/gguf_model.h"
#include "weights/model_layout.h"
#include "weights/safetensors_writer.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

// Value `index` of tensor `name`: different everywhere, exact in bf16.
float value_at(const std::string& name, std::size_t index) {
  std::size_t seed = 0;
  for (const char letter : name) seed = seed * 31 + static_cast<unsigned char>(letter);
  return static_cast<float>(static_cast<int>((seed + index * 7) % 255) - 127) / 64.0F;
}

// A tiny llama GGUF with fp32 tensors and a byte-level vocabulary of 16 tokens.
GgufBuilder tiny_gguf(const ModelConfig& config) {
  GgufBuilder builder;
  builder.text("general.architecture", "llama")
      .uint32("llama.block_count", static_cast<std::uint32_t>(config.layers))
      .uint32("llama.context_length", 64)
      .uint32("llama.embedding_length", 8)
      .uint32("llama.feed_forward_length", 12)
      .uint32("llama.attention.head_count", 2)
      .uint32("llama.attention.head_count_kv", 1)
      .uint32("llama.rope.dimension_count", 4)
      .float32("llama.rope.freq_base", 10000.0F)
      .float32("llama.attention.layer_norm_rms_epsilon", 1e-5F)
      .text("tokenizer.ggml.model", "gpt2")
      .text("tokenizer.ggml.pre", "smollm")
      .texts("tokenizer.ggml.tokens",
             {"<unk>", "<s>", "</s>", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "ab"})
      .int32s("tokenizer.ggml.token_type", {3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
      .texts("tokenizer.ggml.merges", {"a b"})
      .uint32("tokenizer.ggml.bos_token_id", 1)
      .uint32("tokenizer.ggml.eos_token_id", 2)
      .uint32("tokenizer.ggml.unknown_token_id", 0)
      .boolean("tokenizer.ggml.add_bos_token", false);
  for (const TensorSpec& spec : model_tensor_specs(config)) {
    const std::string name = gguf_tensor_source(spec.name, config).gguf_name;
    std::vector<std::uint64_t> shape(spec.shape.begin(), spec.shape.end());
    std::size_t elements = 1;
    for (const std::uint64_t dimension : shape) elements *= dimension;
    std::vector<float> values;
    for (std::size_t i = 0; i < elements; ++i) values.push_back(value_at(name, i));
    builder.tensor(name, kF32, shape, float_bytes(values));
  }
  return builder;
}

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() { write_raw(source(), tiny_gguf(config_).build()); }

  std::filesystem::path source() const { return folder_ / "tiny.gguf"; }
  std::filesystem::path output() const { return folder_ / "model"; }
  ImportResult import(const ImportProgress& progress = {}) const {
    return import_model({source(), output(), DType::kBF16}, progress);
  }

  // The text of the Error that importing throws, and nothing left beside the source.
  std::string failure(ErrorCode code) const {
    try {
      import();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
        EXPECT_EQ(entry.path().string().find(".importing."), std::string::npos) << entry.path();
      }
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  ModelConfig config_ = tiny_config();
  TemporaryDirectory folder_;
};

TEST_F(ImportTest, MakesAHuggingFaceFolder) {
  std::vector<std::uint64_t> seen;
  const ImportResult result = import([&](std::uint64_t done, std::uint64_t total) {
    seen.push_back(done);
    EXPECT_LE(done, total);
  });
  EXPECT_FALSE(result.already_present);
  EXPECT_EQ(result.tensors, 21);
  EXPECT_EQ(seen.size(), 21U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));

  ModelConfig expected = config_;
  expected.dtype = DType::kBF16;
  EXPECT_EQ(read_model_config(output()), expected);
  const ModelTensors tensors(output());
  check_model_tensors(expected, tensors, "model");
  for (const char* name :
       {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    const auto permissions = std::filesystem::status(output() / name).permissions();
    EXPECT_EQ(permissions & std::filesystem::perms::mask, std::filesystem::perms(0644)) << name;
  }
  EXPECT_EQ(Tokenizer::from_directory(output()).encode("ab", false), std::vector<TokenId>{15});
}

TEST_F(ImportTest, UndoesThePermutationOfQueryAndKeyRowsOnly) {
  import();
  const ModelTensors tensors(output());
  for (const TensorSpec& spec : model_tensor_specs(config_)) {
    const GgufTensorSource origin = gguf_tensor_source(spec.name, config_);
    const TensorView& tensor = tensors.at(spec.name);
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    convert_to_float(tensor.dtype, tensor.bytes, values);
    const std::int64_t columns = spec.shape.size() > 1 ? spec.shape[1] : 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t row = gguf_source_row(origin, static_cast<std::int64_t>(i) / columns, spec.shape[0]);
      const std::size_t from = static_cast<std::size_t>(row * columns) + i % static_cast<std::size_t>(columns);
      ASSERT_EQ(values[i], value_at(origin.gguf_name, from)) << spec.name << " " << i;
    }
  }
}

TEST_F(ImportTest, TiesTheHeadWhenThereIsNone) {
  config_.tie_word_embeddings = true;
  write_raw(source(), tiny_gguf(config_).build());
  import();
  EXPECT_TRUE(read_model_config(output()).tie_word_embeddings);
  EXPECT_EQ(ModelTensors(output()).find("lm_head.weight"), nullptr);
}

TEST_F(ImportTest, CarriesBiasesOver) {
  config_.qkv_bias = config_.attention_output_bias = config_.mlp_bias = true;
  write_raw(source(), tiny_gguf(config_).build());
  import();
  EXPECT_TRUE(read_model_config(output()).qkv_bias);
  std::vector<float> bias(8);
  convert_to_float(DType::kBF16, ModelTensors(output()).at("model.layers.0.self_attn.q_proj.bias").bytes, bias);
  EXPECT_EQ(bias[1], value_at("blk.0.attn_q.bias", 2));
}

TEST_F(ImportTest, RecognisesTheRopeScalingOfLlama3) {
  const std::vector<float> factors = llama3_frequency_factors({RopeType::kLlama3, 10000, 32, 1, 4, 8192}, 4);
  write_raw(source(), tiny_gguf(config_).tensor("rope_freqs.weight", kF32, {2}, float_bytes(factors)).build());
  // With head size 4 both frequencies lie below every threshold: no factor other than 1 can be told.
  import();
  EXPECT_EQ(read_model_config(output()).rope.type, RopeType::kLlama3);
  std::filesystem::remove_all(output());
  write_raw(source(), tiny_gguf(config_).tensor("rope_freqs.weight", kF32, {2}, float_bytes({3.0F, 1.0F})).build());
  EXPECT_THAT(failure(ErrorCode::kBadInput), HasSubstr("rope_freqs.weight"));
}

TEST_F(ImportTest, SaysWhenTheSameSourceIsThereAlready) {
  const ImportResult first = import();
  const auto written = std::filesystem::last_write_time(output() / "model.safetensors");
  const ImportResult second = import();
  EXPECT_TRUE(second.already_present);
  EXPECT_EQ(second.parameters, first.parameters);
  EXPECT_EQ(std::filesystem::last_write_time(output() / "model.safetensors"), written);
}

TEST_F(ImportTest, RefusesAFolderThatIsSomethingElse) {
  std::filesystem::create_directory(output());
  EXPECT_THAT(failure(ErrorCode::kConflict), HasSubstr("is not an imported model"));
  std::filesystem::remove_all(output());
  import();
  config_.tie_word_embeddings = true;
  write_raw(source(), tiny_gguf(config_).build());
  EXPECT_THAT(failure(ErrorCode::kConflict), HasSubstr("from another source"));
}

TEST_F(ImportTest, NoticesThatAnImportedFolderWasDamaged) {
  import();
  write_raw(output() / "model.safetensors", "short");
  EXPECT_THAT(failure(ErrorCode::kConflict), HasSubstr("its files have changed"));
}

TEST_F(ImportTest, NamesWhatIsWrongWithTheSource) {
  const std::string whole = tiny_gguf(config_).build();
  write_raw(source(), whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure(ErrorCode::kBadInput), HasSubstr("tiny.gguf"));
  write_raw(source(), tiny_gguf(config_).tensor("blk.0.surprise", kF32, {1}, float_bytes({1})).build());
  EXPECT_THAT(failure(ErrorCode::kBadInput), HasSubstr("\"blk.0.surprise\" is not part of the described model"));
  write_raw(source(), GgufBuilder().text("general.architecture", "qwen2").build());
  EXPECT_THAT(failure(ErrorCode::kBadInput), HasSubstr("\"qwen2\" is not supported (supported: llama)"));
  std::filesystem::remove(source());
  EXPECT_THAT(failure(ErrorCode::kNotFound), HasSubstr("tiny.gguf does not exist"));
}

TEST_F(ImportTest, RefusesValuesThatAreNotFinite) {
  std::string whole = tiny_gguf(config_).build();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(whole.data() + whole.size() - 32, &nan, 4);
  write_raw(source(), whole);
  EXPECT_THAT(failure(ErrorCode::kBadInput), HasSubstr("not finite"));
}

TEST_F(ImportTest, CopiesAModelFolder) {
  import();
  const ImportResult copied = import_model({output(), folder_ / "copy", DType::kBF16});
  EXPECT_TRUE(copied.has_tokenizer);
  EXPECT_EQ(model_fingerprint(folder_ / "copy"), model_fingerprint(output()));
  EXPECT_TRUE(import_model({output(), folder_ / "copy", DType::kBF16}).already_present);
}

TEST_F(ImportTest, ChecksAModelFolderBeforeCopying) {
  import();
  write_raw(output() / "model.safetensors", read_file(output() / "model.safetensors").substr(0, 3000));
  EXPECT_THAT(refusal([&] {
                import_model({output(), folder_ / "copy", DType::kBF16});
              }),
              HasSubstr("model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "copy"));
}

TEST_F(ImportTest, SweepsWhatAKilledImportLeft) {
  std::filesystem::create_directory(folder_ / "model.importing.4194399");  // above the largest process id
  import();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model.importing.4194399"));
}

TEST_F(ImportTest, FingerprintFollowsTheContent) {
  import();
  const std::string before = model_fingerprint(output());
  EXPECT_TRUE(std::filesystem::exists(output() / ".cutd-fingerprint.json"));
  EXPECT_EQ(model_fingerprint(output()), before);
  write_raw(output() / ".cutd-fingerprint.json", "broken");
  EXPECT_EQ(model_fingerprint(output()), before);
  std::string config = read_file(output() / "config.json");
  config[config.size() - 2] = ' ';
  write_raw(output() / "config.json", config + "}");
  EXPECT_NE(model_fingerprint(output()), before);
  std::filesystem::remove(output() / "config.json");
  EXPECT_THROW(model_fingerprint(output()), Error);
}

TEST(SmolLmImportTest, GivesATiedModelOf134MillionParameters) {
  const auto path = smollm2_gguf();
  if (!path) GTEST_SKIP() << "the SmolLM2 GGUF is not here: run scripts/setup";
  if (kSanitized) GTEST_SKIP() << "134 million numbers go the way that a few went above";
  const TemporaryDirectory folder;
  const ImportResult result = import_model({*path, folder / "smollm2", DType::kBF16});
  EXPECT_EQ(result.parameters, 134'515'008);
  EXPECT_EQ(std::filesystem::file_size(folder / "smollm2/model.safetensors"), 269'060'552U);
  const ModelConfig config = read_model_config(folder / "smollm2");
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_EQ(config.rope.theta, 100000);
  EXPECT_EQ(config.rms_norm_eps, 1e-5);
  EXPECT_EQ(config.eos_token_ids, std::vector<std::int64_t>{2});
}

}  // namespace
}  // namespace cutd
