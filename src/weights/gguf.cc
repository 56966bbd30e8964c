#include "weights/gguf.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/error.h"

namespace cutd {
namespace {

template <typename T>
T element(const GgufArray& array, std::size_t index) {
  T value;
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// One element of a numeric array as T (int64 or double); nothing for element types that are not numbers.
template <typename T>
std::optional<T> number_at(const GgufArray& array, std::size_t index) {
  switch (array.type) {
    case GgufValueType::kUint8: return static_cast<T>(element<std::uint8_t>(array, index));
    case GgufValueType::kInt8: return static_cast<T>(element<std::int8_t>(array, index));
    case GgufValueType::kUint16: return static_cast<T>(element<std::uint16_t>(array, index));
    case GgufValueType::kInt16: return static_cast<T>(element<std::int16_t>(array, index));
    case GgufValueType::kUint32: return static_cast<T>(element<std::uint32_t>(array, index));
    case GgufValueType::kInt32: return static_cast<T>(element<std::int32_t>(array, index));
    case GgufValueType::kInt64: return static_cast<T>(element<std::int64_t>(array, index));
    default: break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (array.type == GgufValueType::kFloat32) return static_cast<T>(element<float>(array, index));
    if (array.type == GgufValueType::kFloat64) return static_cast<T>(element<double>(array, index));
  }
  return std::nullopt;
}

template <typename T>
std::optional<std::vector<T>> numbers_of(const GgufValue& value) {
  const GgufArray* array = std::get_if<GgufArray>(&value);
  if (array == nullptr) return std::nullopt;
  std::vector<T> numbers;
  numbers.reserve(array->count);
  for (std::size_t i = 0; i < array->count; ++i) {
    const std::optional<T> number = number_at<T>(*array, i);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

std::int64_t GgufTensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) count *= dimension;
  return count;
}

GgufFile::GgufFile(const std::filesystem::path& path)
    : path_(path), mapping_(path), contents_(parse_gguf(mapping_.bytes(), path.string())) {}

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto& tensors = contents_.tensors;
  const auto place =
      std::find_if(tensors.begin(), tensors.end(), [&](const GgufTensor& tensor) { return tensor.name == name; });
  return place == tensors.end() ? nullptr : &*place;
}

const GgufTensor& GgufFile::at(const std::string& name) const {
  const GgufTensor* tensor = find(name);
  if (tensor == nullptr) throw Error(ErrorCode::kBadInput, path_.string() + ": tensor \"" + name + "\" is missing");
  return *tensor;
}

bool GgufFile::contains(std::string_view key) const { return contents_.metadata.contains(key); }

const GgufValue& GgufFile::value(const std::string& key) const {
  const auto entry = contents_.metadata.find(key);
  if (entry == contents_.metadata.end())
    throw Error(ErrorCode::kBadInput, path_.string() + ": key \"" + key + "\" is missing");
  return entry->second;
}

void GgufFile::throw_wrong_type(const std::string& key, const char* wanted) const {
  throw Error(ErrorCode::kBadInput, path_.string() + ": key \"" + key + "\" must be " + wanted);
}

std::string GgufFile::get_string(const std::string& key) const {
  const std::string_view* text = std::get_if<std::string_view>(&value(key));
  if (text == nullptr) throw_wrong_type(key, "text");
  return std::string(*text);
}

std::int64_t GgufFile::get_integer(const std::string& key) const {
  const GgufValue& found = value(key);
  if (const std::int64_t* number = std::get_if<std::int64_t>(&found)) return *number;
  if (const std::uint64_t* number = std::get_if<std::uint64_t>(&found)) {
    if (*number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return static_cast<std::int64_t>(*number);
  }
  throw_wrong_type(key, "an integer");
}

double GgufFile::get_number(const std::string& key) const {
  const GgufValue& found = value(key);
  if (const double* number = std::get_if<double>(&found)) return *number;
  if (std::holds_alternative<std::int64_t>(found) || std::holds_alternative<std::uint64_t>(found)) {
    return static_cast<double>(get_integer(key));
  }
  throw_wrong_type(key, "a number");
}

std::optional<std::string> GgufFile::find_string(const std::string& key) const {
  return contains(key) ? std::optional(get_string(key)) : std::nullopt;
}

std::optional<std::int64_t> GgufFile::find_integer(const std::string& key) const {
  return contains(key) ? std::optional(get_integer(key)) : std::nullopt;
}

std::optional<double> GgufFile::find_number(const std::string& key) const {
  return contains(key) ? std::optional(get_number(key)) : std::nullopt;
}

std::optional<bool> GgufFile::find_bool(const std::string& key) const {
  if (!contains(key)) return std::nullopt;
  const bool* flag = std::get_if<bool>(&value(key));
  if (flag == nullptr) throw_wrong_type(key, "true or false");
  return *flag;
}

std::vector<std::string> GgufFile::get_strings(const std::string& key) const {
  const GgufArray* array = std::get_if<GgufArray>(&value(key));
  if (array == nullptr || array->type != GgufValueType::kString) throw_wrong_type(key, "an array of text");
  std::vector<std::string> strings;
  strings.reserve(array->count);
  std::size_t position = 0;
  for (std::uint64_t i = 0; i < array->count; ++i) {  // bounds were checked by parse_gguf
    std::uint64_t length;
    std::memcpy(&length, array->bytes.data() + position, sizeof(length));
    position += sizeof(length);
    strings.emplace_back(reinterpret_cast<const char*>(array->bytes.data() + position), length);
    position += length;
  }
  return strings;
}

std::vector<std::int64_t> GgufFile::get_integers(const std::string& key) const {
  auto numbers = numbers_of<std::int64_t>(value(key));
  if (!numbers) throw_wrong_type(key, "an array of integers");
  return std::move(*numbers);
}

std::vector<double> GgufFile::get_numbers(const std::string& key) const {
  auto numbers = numbers_of<double>(value(key));
  if (!numbers) throw_wrong_type(key, "an array of numbers");
  return std::move(*numbers);
}

}  // namespace cutd
