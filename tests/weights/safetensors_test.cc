#include "weights/safetensors.h"

#include <fmt/format.h>

#include <limits>
#include <random>

#include "core/files.h"
#include "core/json.h"
#include "weights/safetensors_writer.h"
#include "weights/weights_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, int begin, int end) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", name, dtype, shape, begin, end);
}

std::string safetensors_refusal(const std::string& file) {
  return refusal([&] { parse_safetensors(as_span(file), "x.safetensors"); });
}

std::string header_refusal(const std::string& header, std::size_t data_bytes) {
  return safetensors_refusal(safetensors_bytes(header, std::string(data_bytes, '\0')));
}

TEST(SafetensorsTest, GivesViewsSortedByName) {
  const std::string header =
      "{" + entry("b", "F32", "2,1", 0, 8) + "," + entry("a", "U8", "", 8, 9) + R"(,"__metadata__":{"format":"pt"}}  )";
  const std::string file = safetensors_bytes(header, std::string(8, '\1') + "\7");
  const SafetensorsHeader parsed = parse_safetensors(as_span(file), "x");
  ASSERT_EQ(parsed.tensors.size(), 2U);
  EXPECT_EQ(parsed.tensors[0].name, "a");
  EXPECT_EQ(parsed.tensors[0].elements(), 1);
  EXPECT_EQ(parsed.tensors[0].bytes[0], std::byte{7});
  EXPECT_EQ(parsed.tensors[1].shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(parsed.metadata.at("format"), "pt");
}

TEST(SafetensorsTest, AcceptsAnEmptyTensorAndAnEmptyFile) {
  const std::string empty = safetensors_bytes("{" + entry("a", "F32", "0,5", 0, 0) + "}", "");
  EXPECT_EQ(parse_safetensors(as_span(empty), "x").tensors.size(), 1U);
  const std::string nothing = safetensors_bytes("{}", "");
  EXPECT_TRUE(parse_safetensors(as_span(nothing), "x").tensors.empty());
}

TEST(SafetensorsTest, RefusesImpossibleHeaderLengths) {
  EXPECT_THAT(safetensors_refusal("abc"), HasSubstr("x.safetensors: 3 bytes are too few"));
  std::string file = safetensors_bytes("{}", "");
  const auto with_length = [&](std::uint64_t length) {
    std::memcpy(file.data(), &length, 8);
    return safetensors_refusal(file);
  };
  EXPECT_THAT(with_length(0), HasSubstr("the header is 0 bytes long"));
  EXPECT_THAT(with_length(3), HasSubstr("said to be 3 bytes long but the file ends after 2"));
  EXPECT_THAT(with_length(100'000'000), HasSubstr("said to be 100000000"));
  EXPECT_THAT(with_length(100'000'001), HasSubstr("above the limit"));
  EXPECT_THAT(with_length(std::uint64_t{1} << 63), HasSubstr("above the limit"));
  EXPECT_THAT(with_length(std::numeric_limits<std::uint64_t>::max()), HasSubstr("above the limit"));
}

TEST(SafetensorsTest, RefusesTextThatIsNoJsonObject) {
  EXPECT_THAT(header_refusal("[1]", 0), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(header_refusal(" {}", 0), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(header_refusal("{\"a", 0), HasSubstr("not valid JSON at byte"));
  EXPECT_THAT(header_refusal("{} x", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(header_refusal("{}{}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(header_refusal(std::string("{}\0 ", 4), 0), HasSubstr("NUL at byte 10"));
  EXPECT_THAT(header_refusal("{\"\xFF\":1}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(header_refusal("{\"\xC0\x80\":{}}", 0), HasSubstr("not valid JSON"));
}

TEST(SafetensorsTest, RefusesDuplicates) {
  const std::string one = entry("a", "U8", "1", 0, 1);
  EXPECT_THAT(header_refusal("{" + one + "," + entry("a", "U8", "1", 1, 2) + "}", 2),
              HasSubstr("tensor \"a\" is there twice"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("field \"dtype\" twice"));
  EXPECT_THAT(header_refusal(R"({"__metadata__":{"k":"1","k":"2"}})", 0), HasSubstr("metadata key \"k\" twice"));
  EXPECT_THAT(header_refusal(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("__metadata__ is there twice"));
}

TEST(SafetensorsTest, RefusesOverlapHoleAndTail) {
  const std::string first = entry("a", "U8", "4", 0, 4);
  EXPECT_THAT(header_refusal("{" + first + "," + entry("b", "U8", "4", 2, 6) + "}", 6),
              AllOf(HasSubstr("tensor \"b\""), HasSubstr("overlaps")));
  EXPECT_THAT(header_refusal("{" + first + "," + entry("b", "U8", "2", 5, 7) + "}", 7),
              AllOf(HasSubstr("tensor \"b\""), HasSubstr("hole")));
  EXPECT_THAT(header_refusal("{" + entry("a", "U8", "4", 1, 5) + "}", 5), HasSubstr("hole"));
  EXPECT_THAT(header_refusal("{" + first + "}", 6), HasSubstr("2 bytes after the last tensor"));
  EXPECT_THAT(header_refusal("{}", 1), HasSubstr("1 bytes after the last tensor"));
}

TEST(SafetensorsTest, RefusesBadOffsets) {
  EXPECT_THAT(header_refusal("{" + entry("a", "U8", "4", 4, 0) + "}", 4), HasSubstr("data_offsets [4, 0]"));
  EXPECT_THAT(header_refusal("{" + entry("a", "U8", "9", 0, 9) + "}", 4), HasSubstr("the file holds 4 bytes"));
  const std::string with_offsets = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":)";
  EXPECT_THAT(header_refusal(with_offsets + "[0]}}", 1), HasSubstr("needs two data_offsets"));
  EXPECT_THAT(header_refusal(with_offsets + "[0,1,2]}}", 1), HasSubstr("more than two data_offsets"));
  EXPECT_THAT(header_refusal(with_offsets + "[0,-1]}}", 1), HasSubstr("negative number"));
  EXPECT_THAT(header_refusal(with_offsets + "[0,1.0]}}", 1), HasSubstr("not an integer"));
  EXPECT_THAT(header_refusal(with_offsets + "[0,18446744073709551616]}}", 1), HasSubstr("not an integer"));
  EXPECT_THAT(header_refusal(with_offsets + "[0,[1]]}}", 1), HasSubstr("array"));
}

TEST(SafetensorsTest, RefusesShapesThatDoNotFit) {
  EXPECT_THAT(header_refusal("{" + entry("a", "F32", "2,2", 0, 12) + "}", 12),
              AllOf(HasSubstr("tensor \"a\""), HasSubstr("has 12 bytes of data but its shape and type need 16")));
  EXPECT_THAT(header_refusal("{" + entry("a", "F32", "4294967296,4294967296", 0, 4) + "}", 4), HasSubstr("overflows"));
  EXPECT_THAT(header_refusal("{" + entry("a", "F32", "9223372036854775807,9223372036854775807,0", 0, 0) + "}", 0),
              HasSubstr("overflows"));
  EXPECT_THAT(header_refusal("{" + entry("a", "F32", "9223372036854775808", 0, 4) + "}", 4), HasSubstr("above 2^63"));
  EXPECT_THAT(header_refusal("{" + entry("a", "F32", "-1", 0, 4) + "}", 4), HasSubstr("negative"));
  std::string ones = "1";
  for (int i = 0; i < 40; ++i) ones += ",1";
  EXPECT_THAT(header_refusal("{" + entry("a", "U8", ones, 0, 1) + "}", 1), HasSubstr("more than 32 dimensions"));
}

TEST(SafetensorsTest, RefusesUnknownAndMissingFields) {
  EXPECT_THAT(header_refusal("{" + entry("a", "F31", "1", 0, 4) + "}", 4), HasSubstr("unknown dtype \"F31\""));
  EXPECT_THAT(header_refusal(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("tensor \"a\" has no dtype"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), HasSubstr("has no shape"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":"U8","shape":[1]}})", 1), HasSubstr("has no data_offsets"));
  EXPECT_THAT(header_refusal(R"({"a":{"x":1}})", 1), HasSubstr("unknown field \"x\""));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":{}}})", 1), HasSubstr("an object"));
  EXPECT_THAT(header_refusal(R"({"a":{"dtype":1}})", 1), HasSubstr("a number"));
  EXPECT_THAT(header_refusal(R"({"a":5})", 1), HasSubstr("a number where the header needs an object"));
  EXPECT_THAT(header_refusal(R"({"a":null})", 1), HasSubstr("null"));
  EXPECT_THAT(header_refusal(R"({"__metadata__":{"a":{}}})", 1), HasSubstr("__metadata__"));
}

TEST(SafetensorsTest, RefusesHeadersThatOnlyCostMemory) {
  std::string metadata = R"({"__metadata__":{"0":"")";
  for (int i = 1; i <= 100'000; ++i) metadata += fmt::format(R"(,"{}":"")", i);
  EXPECT_THAT(header_refusal(metadata + "}}", 0), HasSubstr("__metadata__ has more than 100000 entries"));
  std::string tensors = "{" + entry("0", "U8", "", 0, 1);
  for (int i = 1; i <= 250'000; ++i) tensors += "," + entry(std::to_string(i), "U8", "", i, i + 1);
  EXPECT_THAT(header_refusal(tensors + "}", 1), HasSubstr("more than 250000 tensors"));
  EXPECT_THAT(header_refusal("{\"" + std::string(17 << 20, 'x') + "\":1}", 0), HasSubstr("longer than 16 MiB"));
}

TEST(SafetensorsTest, SurvivesDeepNesting) {
  EXPECT_THAT(header_refusal("{\"a\":" + std::string(100'000, '['), 0), HasSubstr("array"));
  EXPECT_THAT(header_refusal("{\"a\":{\"shape\":" + std::string(100'000, '['), 0), HasSubstr("array"));
}

// Every outcome is a valid list of views inside the file, or a refusal.
void expect_views_or_refuses(const std::string& file) {
  try {
    const SafetensorsHeader header = parse_safetensors(as_span(file), "x");
    for (const TensorView& tensor : header.tensors) {
      ASSERT_GE(tensor.bytes.data(), as_span(file).data());
      ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(), as_span(file).data() + file.size());
      ASSERT_EQ(tensor.bytes.size(), static_cast<std::size_t>(tensor.elements()) * dtype_size(tensor.dtype));
    }
  } catch (const Error& error) {
    ASSERT_EQ(error.code(), ErrorCode::kBadInput);
  }
}

std::string small_safetensors() {
  const std::string header = "{" + entry("model.norm.weight", "F32", "2,1", 0, 8) + "," +
                             entry("b", "BF16", "3", 8, 14) + R"(,"__metadata__":{"format":"pt"}})";
  return safetensors_bytes(header, std::string(14, '\2'));
}

TEST(SafetensorsTest, RefusesEveryTruncation) {
  const std::string file = small_safetensors();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string part = file.substr(0, size);
    EXPECT_THROW(parse_safetensors(as_span(part), "x"), Error) << size;
  }
}

TEST(SafetensorsTest, SurvivesEveryBitFlipAndTenThousandRandomChanges) {
  const std::string file = small_safetensors();
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string changed = file;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    expect_views_or_refuses(changed);
  }
  std::mt19937 random(7);
  for (int round = 0; round < 10'000; ++round) {
    std::string changed = file;
    for (int change = 0; change < 3; ++change) changed[random() % changed.size()] = static_cast<char>(random());
    expect_views_or_refuses(changed);
  }
}

TEST(SafetensorsTest, NamesFileAndTensorOfAMissingOne) {
  const TemporaryDirectory folder;
  write_raw(folder / "model.safetensors", small_safetensors());
  const SafetensorsFile file(folder / "model.safetensors");
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_EQ(refusal([&] { file.at("absent"); }),
            (folder / "model.safetensors").string() + ": tensor \"absent\" is missing");
}

TEST(SafetensorsTest, RefusesFilesThatAreNotThereOrNotFiles) {
  const TemporaryDirectory folder;
  EXPECT_THROW(SafetensorsFile(folder / "none.safetensors"), Error);
  EXPECT_THAT(refusal([&] { SafetensorsFile file(folder.path()); }), HasSubstr("not a regular file"));
  write_raw(folder / "empty.safetensors", "");
  EXPECT_THAT(refusal([&] { SafetensorsFile file(folder / "empty.safetensors"); }), HasSubstr("0 bytes are too few"));
}

TEST(SafetensorsTest, FindsValuesThatAreNotFinite) {
  const TemporaryDirectory folder;
  const std::vector<float> values = {1, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<TensorView> tensors = {{"w", DType::kF32, {2}, std::as_bytes(std::span(values))}};
  write_safetensors(folder / "a.safetensors", tensors);
  EXPECT_THAT(refusal([&] { SafetensorsFile(folder / "a.safetensors").check_finite(); }),
              AllOf(HasSubstr("a.safetensors"), HasSubstr("\"w\""), HasSubstr("index 1")));
}

TEST(SafetensorsWriterTest, WritesTheSameBytesInAnyOrder) {
  const TemporaryDirectory folder;
  const std::vector<float> floats = {1, 2, 3, 4};
  const std::string bytes = "ab";
  std::vector<TensorView> tensors = {{"z", DType::kU8, {2}, as_span(bytes)},
                                     {"b \"quoted\"", DType::kF32, {2, 1}, std::as_bytes(std::span(floats).first(2))},
                                     {"a", DType::kF32, {2}, std::as_bytes(std::span(floats).last(2))}};
  write_safetensors(folder / "one", tensors);
  std::swap(tensors[0], tensors[2]);
  write_safetensors(folder / "two", tensors);
  EXPECT_EQ(read_file(folder / "one"), read_file(folder / "two"));
  EXPECT_EQ(std::filesystem::status(folder / "one").permissions() & std::filesystem::perms::mask,
            std::filesystem::perms(0644));

  const SafetensorsFile file(folder / "one");
  EXPECT_EQ(file.tensors().size(), 3U);
  std::vector<float> values(2);
  convert_to_float(DType::kF32, file.at("a").bytes, values);
  EXPECT_EQ(values, (std::vector<float>{3, 4}));
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

// The bytes Hugging Face's writer makes for {"a": U8 [1], "b": F32 [1]}.
TEST(SafetensorsWriterTest, WritesWhatHuggingFaceWrites) {
  const TemporaryDirectory folder;
  const std::string one = "\x01";
  const std::vector<float> two = {2};
  const std::vector<TensorView> tensors = {{"a", DType::kU8, {1}, as_span(one)},
                                           {"b", DType::kF32, {1}, std::as_bytes(std::span(two))}};
  write_safetensors(folder / "file", tensors);
  std::string header = R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                       R"("a":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(read_file(folder / "file"), safetensors_bytes(header, float_bytes(two) + one));
}

TEST(SafetensorsWriterTest, LeavesNothingBehindWhenUnfinished) {
  const TemporaryDirectory folder;
  {
    SafetensorsWriter writer(folder / "file", {{"a", DType::kU8, {2}, {}}});
    EXPECT_THROW(writer.finish(), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

class ModelTensorsTest : public ::testing::Test {
 protected:
  void write_shard(const std::string& file, const std::vector<std::string>& names) {
    std::vector<TensorView> tensors;
    for (const std::string& name : names) tensors.push_back({name, DType::kU8, {1}, as_span(byte_)});
    write_safetensors(folder_ / file, tensors);
  }
  void write_index(const std::string& weight_map) {
    write_raw(folder_ / "model.safetensors.index.json",
              R"({"metadata":{"total_size":3},"weight_map":)" + weight_map + "}");
  }

  const std::string byte_ = "x";
  TemporaryDirectory folder_;
};

TEST_F(ModelTensorsTest, TakesEachTensorFromItsShard) {
  write_shard("model-1.safetensors", {"a", "b"});
  write_shard("model-2.safetensors", {"c"});
  write_index(R"({"a":"model-1.safetensors","b":"model-1.safetensors","c":"model-2.safetensors"})");
  ModelTensors tensors(folder_.path());
  const ModelTensors moved = std::move(tensors);
  EXPECT_EQ(moved.names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(moved.at("c").bytes.size(), 1U);
  EXPECT_EQ(moved.file_of("c").path().filename(), "model-2.safetensors");
  EXPECT_EQ(moved.total_bytes(), 3U);
  EXPECT_EQ(safetensors_file_names(folder_.path()),
            (std::vector<std::string>{"model-1.safetensors", "model-2.safetensors"}));
}

TEST_F(ModelTensorsTest, RefusesAnIndexThatDoesNotFitItsShards) {
  write_shard("1.safetensors", {"a", "b"});
  const auto refused = [&](const std::string& map) {
    write_index(map);
    return refusal([&] { ModelTensors tensors(folder_.path()); });
  };
  EXPECT_THAT(refused(R"({"a":"1.safetensors","z":"1.safetensors"})"),
              HasSubstr("1.safetensors: tensor \"z\" is missing"));
  EXPECT_THAT(refused(R"({"a":"1.safetensors"})"),
              HasSubstr("tensor \"b\" lies in shard 1.safetensors but weight_map does not list it"));
  EXPECT_THAT(refused(R"({"a":"../1.safetensors"})"), HasSubstr("no plain file name for tensor \"a\""));
  EXPECT_THAT(refused(R"({"a":1})"), HasSubstr("no plain file name"));
  EXPECT_THAT(refused("{}"), HasSubstr("weight_map"));
}

TEST_F(ModelTensorsTest, NamesAFolderWithoutTensors) {
  EXPECT_THROW(ModelTensors(folder_.path()), Error);
  write_index(R"({"a":"absent.safetensors"})");
  try {
    ModelTensors tensors(folder_.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("absent.safetensors"));
  }
}

TEST(GoldenModelsTest, EveryTinyModelOpens) {
  const auto models = golden("models");
  if (!models) GTEST_SKIP() << "golden data (../shared) is not here";
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    const ModelTensors tensors(entry.path());
    EXPECT_GT(tensors.names().size(), 10U) << entry.path();
    tensors.check_finite();
  }
}

}  // namespace
}  // namespace cutd
