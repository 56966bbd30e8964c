#include "weights/gguf.h"

#include <cmath>
#include <numeric>
#include <random>

#include "core/hash.h"
#include "core/json.h"
#include "weights/dtype.h"
#include "weights/gguf_model.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint32_t kF16 = 1, kQ4_0 = 2, kQ4_1 = 3, kQ8_0 = 8, kBF16 = 30, kQ4_K = 12;

std::string half(float value) {
  std::string bytes;
  GgufBuilder::put(bytes, float_to_half(value));
  return bytes;
}

std::vector<float> dequantised(std::uint32_t type, const std::string& bytes, std::size_t count) {
  std::vector<float> values(count);
  dequantise(type, as_span(bytes), values);
  return values;
}

std::string gguf_refusal(const std::string& file) {
  return refusal([&] { parse_gguf(as_span(file), "x.gguf"); });
}

std::string small_gguf(std::uint32_t version = 3) {
  return GgufBuilder()
      .text("general.architecture", "llama")
      .uint32("llama.block_count", 2)
      .float32("eps", 1e-5F)
      .boolean("flag", true)
      .texts("tokens", {"a", "", "ccc"})
      .int32s("types", {1, 3, -1})
      .tensor("w", kF32, {2, 3}, float_bytes({1, 2, 3, 4, 5, 6}))
      .tensor("q", kQ8_0, {1, 32}, half(0.5F) + std::string(32, '\2'))
      .build(version);
}

TEST(GgufTest, ReadsMetadataAndTensorsOfBothVersions) {
  for (const std::uint32_t version : {2U, 3U}) {
    const TemporaryDirectory folder;
    write_raw(folder / "x.gguf", small_gguf(version));
    const GgufFile file(folder / "x.gguf");
    EXPECT_EQ(file.version(), version);
    EXPECT_EQ(file.get_string("general.architecture"), "llama");
    EXPECT_EQ(file.get_integer("llama.block_count"), 2);
    EXPECT_FLOAT_EQ(static_cast<float>(file.get_number("eps")), 1e-5F);
    EXPECT_EQ(file.find_bool("flag"), true);
    EXPECT_THAT(file.get_strings("tokens"), ElementsAre("a", "", "ccc"));
    EXPECT_THAT(file.get_integers("types"), ElementsAre(1, 3, -1));
    EXPECT_EQ(file.find_integer("absent"), std::nullopt);
    EXPECT_EQ(file.at("w").shape, (std::vector<std::int64_t>{2, 3}));
    std::vector<float> values(32);
    dequantise(kQ8_0, file.at("q").bytes, values);
    EXPECT_EQ(values[31], 1.0F);
  }
}

TEST(GgufTest, NamesKeysAndTensorsThatAreMissingOrOfAnotherType) {
  const TemporaryDirectory folder;
  write_raw(folder / "x.gguf", small_gguf());
  const GgufFile file(folder / "x.gguf");
  EXPECT_THAT(refusal([&] { file.get_string("absent"); }),
              AllOf(HasSubstr("x.gguf"), HasSubstr("key \"absent\" is missing")));
  EXPECT_THAT(refusal([&] { file.get_string("eps"); }), HasSubstr("key \"eps\" must be text"));
  EXPECT_THAT(refusal([&] { file.get_integer("eps"); }), HasSubstr("must be an integer"));
  EXPECT_THAT(refusal([&] { file.get_integers("tokens"); }), HasSubstr("must be an array of integers"));
  EXPECT_THAT(refusal([&] { file.get_strings("types"); }), HasSubstr("must be an array of text"));
  EXPECT_THAT(refusal([&] { file.at("absent"); }), HasSubstr("tensor \"absent\" is missing"));
}

TEST(GgufTest, RefusesOtherFormats) {
  EXPECT_THAT(gguf_refusal("GGML" + std::string(60, '\0')), HasSubstr("x.gguf: not a GGUF file"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().build(1)), HasSubstr("version 1"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().build(0x03000000)), HasSubstr("little-endian"));
}

TEST(GgufTest, RefusesCountsTheFileCannotHold) {
  std::string file = small_gguf();
  const std::uint64_t huge = std::uint64_t{1} << 62;
  std::memcpy(file.data() + 8, &huge, 8);
  EXPECT_THAT(gguf_refusal(file), HasSubstr("4611686018427387904 tensors, more than the file can hold"));
  file = small_gguf();
  std::memcpy(file.data() + 16, &huge, 8);
  EXPECT_THAT(gguf_refusal(file), HasSubstr("metadata entries, more than the file can hold"));
}

TEST(GgufTest, NamesATensorThatCannotBe) {
  EXPECT_THAT(
      gguf_refusal(GgufBuilder().tensor("w", kQ4_K, {256}, std::string(144, '\0')).build()),
      HasSubstr(
          "tensor \"w\" has the type Q4_K, which is not supported (supported: F32, F16, BF16, Q8_0, Q4_0, Q4_1)"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", 99, {1}, "abcd").build()), HasSubstr("type 99"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kQ8_0, {33}, std::string(34, '\0')).build()),
              HasSubstr("not a multiple of 32"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kF32, {100}, "abcd").build()),
              AllOf(HasSubstr("tensor \"w\""), HasSubstr("needs 400 bytes")));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kF32, {1ULL << 40, 1ULL << 40}, "").build()),
              HasSubstr("cannot be"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kF32, {1ULL << 62}, "").build()), HasSubstr("overflows"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kF32, {0}, "").build()), HasSubstr("dimension of 0"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kF32, {1, 1, 1, 1, 1}, "abcd").build()),
              HasSubstr("5 dimensions"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().tensor("w", kF32, {1}, "abcd").tensor("w", kF32, {1}, "abcd").build()),
              HasSubstr("\"w\" is there twice"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().uint32("k", 1).uint32("k", 1).build()), HasSubstr("key \"k\" is there twice"));
  EXPECT_THAT(gguf_refusal(GgufBuilder().uint32("general.alignment", 12).build()), HasSubstr("general.alignment"));
}

TEST(GgufTest, DequantisesByTheFormulas) {
  EXPECT_THAT(dequantised(kF32, float_bytes({1.25F}), 1), ElementsAre(1.25F));
  EXPECT_THAT(dequantised(kF16, half(-2.5F), 1), ElementsAre(-2.5F));
  EXPECT_THAT(dequantised(kBF16, std::string("\x80\x3F", 2), 1), ElementsAre(1.0F));
  std::string nibbles;
  for (int i = 0; i < 16; ++i) nibbles += static_cast<char>(i | ((15 - i) << 4));
  const std::vector<float> q4_0 = dequantised(kQ4_0, half(0.5F) + nibbles, 32);
  const std::vector<float> q4_1 = dequantised(kQ4_1, half(0.5F) + half(-3.0F) + nibbles, 32);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(q4_0[static_cast<std::size_t>(i)], 0.5F * static_cast<float>(i - 8));
    EXPECT_EQ(q4_0[static_cast<std::size_t>(i + 16)], 0.5F * static_cast<float>(7 - i));
    EXPECT_EQ(q4_1[static_cast<std::size_t>(i)], 0.5F * static_cast<float>(i) - 3.0F);
    EXPECT_EQ(q4_1[static_cast<std::size_t>(i + 16)], 0.5F * static_cast<float>(15 - i) - 3.0F);
  }
  std::string bytes;
  for (int i = -16; i < 16; ++i) bytes += static_cast<char>(i * 8);
  const std::vector<float> q8_0 = dequantised(kQ8_0, half(0.25F) + bytes, 32);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(q8_0[static_cast<std::size_t>(i)], 2.0F * static_cast<float>(i - 16));
  EXPECT_THAT(refusal([] { dequantised(kQ4_K, std::string(144, '\0'), 256); }), HasSubstr("cannot dequantise Q4_K"));
}

// Whatever the bytes: views inside the file, or a refusal; accessors stay inside as well.
void expect_parses_or_refuses(const std::string& bytes) {
  try {
    const GgufFile::Contents contents = parse_gguf(as_span(bytes), "x");
    for (const GgufTensor& tensor : contents.tensors) {
      ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(), as_span(bytes).data() + bytes.size());
      std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
      dequantise(tensor.type, tensor.bytes, values);
    }
  } catch (const Error& error) {
    ASSERT_EQ(error.code(), ErrorCode::kBadInput) << error.what();
  }
}

TEST(GgufTest, RefusesEveryTruncation) {
  const std::string file = small_gguf();
  const std::size_t end_of_data = file.size() - 30;  // padding behind the last tensor may be missing
  for (std::size_t size = 0; size < end_of_data; ++size) {
    const std::string part = file.substr(0, size);
    EXPECT_THROW(parse_gguf(as_span(part), "x"), Error) << size;
  }
}

TEST(GgufTest, SurvivesEveryBitFlipAndTenThousandRandomChanges) {
  const std::string file = small_gguf();
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string changed = file;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    expect_parses_or_refuses(changed);
  }
  std::mt19937 random(11);
  const TemporaryDirectory folder;
  for (int round = 0; round < 10'000; ++round) {
    std::string changed = file;
    for (int change = 0; change < 3; ++change) changed[random() % changed.size()] = static_cast<char>(random());
    expect_parses_or_refuses(changed);
  }
}

TEST(GgufModelTest, UndoesTheRowPermutationHeadByHead) {
  const ModelConfig config = tiny_config();
  const GgufTensorSource query = gguf_tensor_source("model.layers.1.self_attn.q_proj.weight", config);
  EXPECT_EQ(query.gguf_name, "blk.1.attn_q.weight");
  EXPECT_EQ(query.permuted_heads, 2);
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < 8; ++row) rows.push_back(gguf_source_row(query, row, 8));
  EXPECT_THAT(rows, ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_EQ(gguf_tensor_source("model.layers.0.self_attn.k_proj.bias", config).permuted_heads, 1);
  EXPECT_EQ(gguf_tensor_source("model.layers.0.self_attn.v_proj.weight", config).permuted_heads, 0);
  EXPECT_EQ(gguf_tensor_source("lm_head.weight", config).gguf_name, "output.weight");
  EXPECT_EQ(gguf_tensor_source("model.norm.weight", config).gguf_name, "output_norm.weight");
}

TEST(GgufModelTest, GivesTheFrequencyFactorsOfLlama3) {
  const std::vector<float> factors = llama3_frequency_factors({RopeType::kLlama3, 5e5, 8, 1, 4, 8192}, 128);
  EXPECT_EQ(factors.size(), 64U);
  // Default over llama3 inverse frequencies of transformers 5.23 (ROPE_INIT_FUNCTIONS) for Llama 3.1 8B.
  EXPECT_EQ(factors[28], 1.0F);
  EXPECT_NEAR(factors[29], 1.2074839, 2e-6);
  EXPECT_NEAR(factors[32], 2.6945302, 4e-6);
  EXPECT_NEAR(factors[34], 5.2573271, 8e-6);
  EXPECT_EQ(factors[35], 8.0F);
}

TEST(SmolLmGgufTest, EveryTensorIsBitForBitTheGoldenOne) {
  const auto reference = golden("smollm2/gguf.json");
  const auto path = smollm2_gguf();
  if (!reference) GTEST_SKIP() << "golden data (../shared) is not here";
  if (!path) GTEST_SKIP() << "the SmolLM2 GGUF is not here: run scripts/setup";
  const GgufFile file(*path);
  const Json expected = read_json_file(*reference);
  EXPECT_EQ(file.tensors().size(), expected.at("n_tensors").get<std::size_t>());
  for (const Json& entry : expected.at("tensors")) {
    const GgufTensor& tensor = file.at(entry.at("name"));
    EXPECT_EQ(Json(ggml_type_name(tensor.type)), entry.at("type"));
    EXPECT_EQ(tensor.shape, entry.at("shape").get<std::vector<std::int64_t>>());
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    dequantise(tensor.type, tensor.bytes, values);
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    EXPECT_EQ(Json(sha256_hex(bytes)), entry.at("sha256_f32_le")) << tensor.name;
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    EXPECT_NEAR(sum, entry.at("sum_f64").get<double>(), 1e-6 * (1 + std::abs(sum))) << tensor.name;
    float largest = 0;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    EXPECT_NEAR(largest, entry.at("abs_max").get<float>(), 1e-5F * largest) << tensor.name;
    const std::size_t width = static_cast<std::size_t>(tensor.shape.back());
    for (const auto& [row, first] : entry.at("rows").items()) {
      for (std::size_t i = 0; i < first.size(); ++i) {
        ASSERT_NEAR(values[std::stoul(row) * width + i], first[i].get<float>(), 1e-5F * largest)
            << tensor.name << " row " << row;
      }
    }
  }
}

}  // namespace
}  // namespace cutd
