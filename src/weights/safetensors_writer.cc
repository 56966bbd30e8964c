#include "weights/safetensors_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/json.h"

namespace cutd {
namespace {

// The order of Hugging Face's enumeration of types; its writer puts the last ones first.
int type_rank(DType dtype) {
  constexpr DType kAscending[] = {DType::kBool,   DType::kU8,     DType::kI8,  DType::kF8E5M2,
                                  DType::kF8E4M3, DType::kF8E8M0, DType::kI16, DType::kU16,
                                  DType::kF16,    DType::kBF16,   DType::kI32, DType::kU32,
                                  DType::kF32,    DType::kF64,    DType::kI64, DType::kU64};
  return static_cast<int>(std::find(std::begin(kAscending), std::end(kAscending), dtype) - std::begin(kAscending));
}

std::vector<TensorView> writing_order(std::vector<TensorView> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& left, const TensorView& right) {
    return std::pair(-type_rank(left.dtype), std::string_view(left.name)) <
           std::pair(-type_rank(right.dtype), std::string_view(right.name));
  });
  return tensors;
}

std::uint64_t byte_size(const TensorView& tensor) {
  return static_cast<std::uint64_t>(tensor.elements()) * dtype_size(tensor.dtype);
}

// Length and JSON header, padded with spaces so that the data begins at a multiple of 8.
std::string header_bytes(const std::vector<TensorView>& order, const TensorMetadata& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + Json(metadata).dump();
  std::set<std::string_view> names;
  std::uint64_t position = 0;
  for (const TensorView& tensor : order) {
    if (!names.insert(tensor.name).second)
      throw Error(ErrorCode::kInternal, "write_safetensors: \"" + tensor.name + "\" twice");
    const std::uint64_t end = position + byte_size(tensor);
    if (text.size() > 1) text += ',';
    text += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", Json(tensor.name).dump(),
                        dtype_name(tensor.dtype), fmt::join(tensor.shape, ","), position, end);
    position = end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + text;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorView> declared,
                                     const TensorMetadata& metadata)
    : order_(writing_order(std::move(declared))), file_(path) {
  for (const TensorView& tensor : order_) remaining_ += byte_size(tensor);
  file_.append(header_bytes(order_, metadata));
}

void SafetensorsWriter::append(std::span<const std::byte> bytes) {
  if (bytes.size() > remaining_) throw Error(ErrorCode::kInternal, "write_safetensors: more bytes than declared");
  remaining_ -= bytes.size();
  file_.append(as_text(bytes));
}

void SafetensorsWriter::finish() {
  if (remaining_ != 0)
    throw Error(ErrorCode::kInternal, fmt::format("write_safetensors: {} bytes missing", remaining_));
  file_.commit();
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata) {
  for (const TensorView& tensor : tensors) {
    if (tensor.bytes.size() != byte_size(tensor)) {
      throw Error(ErrorCode::kInternal, "write_safetensors: \"" + tensor.name + "\" has a wrong number of bytes");
    }
  }
  SafetensorsWriter writer(path, {tensors.begin(), tensors.end()}, metadata);
  for (const TensorView& tensor : writer.order()) writer.append(tensor.bytes);
  writer.finish();
}

}  // namespace cutd
