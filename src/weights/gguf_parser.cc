// parse_gguf: header, metadata and tensor infos of a GGUF file, from untrusted bytes. Layout: magic, version,
// tensor count, metadata count, metadata, tensor infos, padding to the alignment, tensor data.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "weights/ggml_types.h"
#include "weights/gguf.h"

namespace cutd {
namespace {

constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMaxDimensions = 4;
constexpr std::size_t kMaxNameBytes = 65535;
constexpr std::size_t kLeastMetadataBytes = 8 + 1 + 4 + 1;      // key length, key, type, value
constexpr std::size_t kLeastInfoBytes = 8 + 1 + 4 + 8 + 4 + 8;  // name, one dimension, type, offset

std::string printable(std::string_view text) {
  std::string result;
  for (const char byte : text.substr(0, 80)) result += byte >= 0x20 && byte < 0x7F ? byte : '?';
  return "\"" + result + "\"";
}

// Bytes of one element of a fixed-size type; 0 for strings, arrays and unknown types.
std::size_t fixed_size(GgufValueType type) {
  switch (type) {
    case GgufValueType::kUint8:
    case GgufValueType::kInt8:
    case GgufValueType::kBool: return 1;
    case GgufValueType::kUint16:
    case GgufValueType::kInt16: return 2;
    case GgufValueType::kUint32:
    case GgufValueType::kInt32:
    case GgufValueType::kFloat32: return 4;
    case GgufValueType::kUint64:
    case GgufValueType::kInt64:
    case GgufValueType::kFloat64: return 8;
    default: return 0;
  }
}

// A position in the bytes that cannot pass their end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

  void set_subject(std::string subject) { subject_ = std::move(subject); }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {}{}{} (byte {})", origin_, subject_, subject_.empty() ? "" : " ", why, position_));
  }

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > remaining()) fail("goes beyond the end of the file");
    const auto part = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += part.size();
    return part;
  }
  template <typename T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view text() {
    const auto part = take(read<std::uint64_t>());
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string_view name() {
    const std::string_view text = this->text();
    if (text.empty() || text.size() > kMaxNameBytes) fail("has a name of a length that is not allowed");
    return text;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& origin_;
  std::string subject_;
  std::size_t position_ = 0;
};

GgufArray read_array(Cursor& cursor) {
  GgufArray array;
  array.type = static_cast<GgufValueType>(cursor.read<std::uint32_t>());
  array.count = cursor.read<std::uint64_t>();
  const std::size_t size = fixed_size(array.type);
  if (size > 0) {
    if (array.count > cursor.remaining() / size) cursor.fail("goes beyond the end of the file");
    array.bytes = cursor.take(array.count * size);
    return array;
  }
  if (array.type != GgufValueType::kString) {
    cursor.fail(fmt::format("is an array of type {}, which is not supported", static_cast<std::uint32_t>(array.type)));
  }
  if (array.count > cursor.remaining() / sizeof(std::uint64_t)) cursor.fail("goes beyond the end of the file");
  Cursor walker = cursor;
  for (std::uint64_t i = 0; i < array.count; ++i) walker.text();
  array.bytes = cursor.take(walker.position() - cursor.position());
  return array;
}

GgufValue read_value(Cursor& cursor) {
  const std::uint32_t type = cursor.read<std::uint32_t>();
  switch (static_cast<GgufValueType>(type)) {
    case GgufValueType::kUint8: return std::uint64_t{cursor.read<std::uint8_t>()};
    case GgufValueType::kInt8: return std::int64_t{cursor.read<std::int8_t>()};
    case GgufValueType::kUint16: return std::uint64_t{cursor.read<std::uint16_t>()};
    case GgufValueType::kInt16: return std::int64_t{cursor.read<std::int16_t>()};
    case GgufValueType::kUint32: return std::uint64_t{cursor.read<std::uint32_t>()};
    case GgufValueType::kInt32: return std::int64_t{cursor.read<std::int32_t>()};
    case GgufValueType::kUint64: return cursor.read<std::uint64_t>();
    case GgufValueType::kInt64: return cursor.read<std::int64_t>();
    case GgufValueType::kFloat32: return double{cursor.read<float>()};
    case GgufValueType::kFloat64: return cursor.read<double>();
    case GgufValueType::kBool: return cursor.read<std::uint8_t>() != 0;
    case GgufValueType::kString: return cursor.text();
    case GgufValueType::kArray: return read_array(cursor);
    default: cursor.fail(fmt::format("has the unknown value type {}", type));
  }
}

struct TensorInfo {
  GgufTensor tensor;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

TensorInfo read_tensor_info(Cursor& cursor) {
  TensorInfo info;
  info.tensor.name = cursor.name();
  cursor.set_subject("tensor " + printable(info.tensor.name));
  const std::uint32_t dimensions = cursor.read<std::uint32_t>();
  if (dimensions < 1 || dimensions > kMaxDimensions) cursor.fail(fmt::format("has {} dimensions", dimensions));
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const std::uint64_t dimension = cursor.read<std::uint64_t>();
    if (dimension < 1 || dimension > INT64_MAX || __builtin_mul_overflow(elements, dimension, &elements)) {
      cursor.fail(fmt::format("has a dimension of {}, which cannot be", dimension));
    }
    info.tensor.shape.insert(info.tensor.shape.begin(), static_cast<std::int64_t>(dimension));
  }
  info.tensor.type = cursor.read<std::uint32_t>();
  const GgmlType* type = find_ggml_type(info.tensor.type);
  if (type == nullptr || !type->readable) {
    cursor.fail(fmt::format("has the type {}, which is not supported (supported: F32, F16, BF16, Q8_0, Q4_0, Q4_1)",
                            ggml_type_name(info.tensor.type)));
  }
  if (static_cast<std::uint64_t>(info.tensor.shape.back()) % type->block_elements != 0) {
    cursor.fail(
        fmt::format("has rows of {} elements, not a multiple of {}", info.tensor.shape.back(), type->block_elements));
  }
  if (__builtin_mul_overflow(elements / type->block_elements, type->block_bytes, &info.size))
    cursor.fail("has a size that overflows");
  info.offset = cursor.read<std::uint64_t>();
  return info;
}

std::uint64_t alignment_of(const GgufFile::Contents& contents, const Cursor& cursor) {
  const auto entry = contents.metadata.find("general.alignment");
  if (entry == contents.metadata.end()) return kDefaultAlignment;
  const std::uint64_t* value = std::get_if<std::uint64_t>(&entry->second);
  if (value == nullptr || !std::has_single_bit(*value) || *value < 8 || *value > 1 << 20) {
    cursor.fail("key \"general.alignment\" must be a power of two from 8 on");
  }
  return *value;
}

// Gives every tensor its bytes; they must lie in the file, aligned, and not overlap.
void place_tensors(std::vector<TensorInfo>& infos, std::span<const std::byte> data, std::uint64_t alignment,
                   Cursor& cursor) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (TensorInfo& info : infos) {
    cursor.set_subject("tensor " + printable(info.tensor.name));
    if (info.offset % alignment != 0)
      cursor.fail(fmt::format("begins at {}, not a multiple of {}", info.offset, alignment));
    if (info.offset > data.size() || info.size > data.size() - info.offset) {
      cursor.fail(fmt::format("needs {} bytes from {} on but the file holds {} bytes of data", info.size, info.offset,
                              data.size()));
    }
    info.tensor.bytes = data.subspan(info.offset, info.size);
    ranges.emplace_back(info.offset, info.offset + info.size);
  }
  cursor.set_subject("");
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second)
      cursor.fail(fmt::format("two tensors overlap at {} of the data", ranges[i].first));
  }
}

void read_metadata(Cursor& cursor, std::uint64_t count, GgufFile::Contents& contents) {
  for (std::uint64_t i = 0; i < count; ++i) {
    cursor.set_subject(fmt::format("metadata entry {}", i));
    const std::string_view key = cursor.name();
    cursor.set_subject("key " + printable(key));
    if (!contents.metadata.emplace(key, read_value(cursor)).second) cursor.fail("is there twice");
  }
}

std::vector<TensorInfo> read_tensor_infos(Cursor& cursor, std::uint64_t count) {
  std::vector<TensorInfo> infos;
  infos.reserve(static_cast<std::size_t>(count));  // at most the file's size / kLeastInfoBytes
  std::vector<std::string_view> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    cursor.set_subject(fmt::format("tensor info {}", i));
    infos.push_back(read_tensor_info(cursor));
  }
  names.reserve(infos.size());
  for (const TensorInfo& info : infos) names.push_back(info.tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    cursor.set_subject("tensor " + printable(*twice));
    cursor.fail("is there twice");
  }
  return infos;
}

}  // namespace

GgufFile::Contents parse_gguf(std::span<const std::byte> file, const std::string& origin) {
  Cursor cursor(file, origin);
  cursor.set_subject("the header");
  const auto magic = cursor.take(4);
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) throw Error(ErrorCode::kBadInput, origin + ": not a GGUF file");
  GgufFile::Contents contents;
  contents.version = cursor.read<std::uint32_t>();
  if (contents.version != 2 && contents.version != 3) {
    cursor.fail(fmt::format("says version {}; versions 2 and 3, little-endian, are supported", contents.version));
  }
  const std::uint64_t tensors = cursor.read<std::uint64_t>();
  const std::uint64_t entries = cursor.read<std::uint64_t>();
  if (tensors > cursor.remaining() / kLeastInfoBytes)
    cursor.fail(fmt::format("says {} tensors, more than the file can hold", tensors));
  if (entries > cursor.remaining() / kLeastMetadataBytes)
    cursor.fail(fmt::format("says {} metadata entries, more than the file can hold", entries));

  read_metadata(cursor, entries, contents);
  std::vector<TensorInfo> infos = read_tensor_infos(cursor, tensors);
  cursor.set_subject("");
  const std::uint64_t alignment = alignment_of(contents, cursor);
  const std::uint64_t padding = (alignment - cursor.position() % alignment) % alignment;
  const std::size_t data_begin = std::min<std::size_t>(cursor.position() + padding, file.size());
  place_tensors(infos, file.subspan(data_begin), alignment, cursor);
  contents.tensors.reserve(infos.size());
  for (TensorInfo& info : infos) contents.tensors.push_back(std::move(info.tensor));
  return contents;
}

}  // namespace cutd
