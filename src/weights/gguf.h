// GGUF files, versions 2 and 3, little-endian: mapped, bounds-checked, dequantised to fp32.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weights/mapped_file.h"

namespace cutd {

enum class GgufValueType : std::uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64
};

// An array of the metadata, decoded when asked for. Views into the parsed bytes.
struct GgufArray {
  GgufValueType type = GgufValueType::kUint8;  // of the elements; arrays of arrays are refused
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;  // the elements as they lie in the file, bounds already checked
};
using GgufValue = std::variant<bool, std::uint64_t, std::int64_t, double, std::string_view, GgufArray>;

struct GgufTensor {
  std::string name;
  std::uint32_t type = 0;           // ggml type number
  std::vector<std::int64_t> shape;  // row-major [out, in]: GGUF's dimensions reversed
  std::span<const std::byte> bytes;

  std::int64_t elements() const;
};

// "Q4_1" for a known ggml type, "type 42" otherwise.
std::string ggml_type_name(std::uint32_t type);

// fp32 values of whole blocks: F32, F16, BF16 exactly; Q8_0 = d q, Q4_0 = d (q - 8), Q4_1 = d q + m in fp32
// with d, m read as fp16. `values` has one entry per element of `bytes`. Error(kBadInput) naming other types.
void dequantise(std::uint32_t type, std::span<const std::byte> bytes, std::span<float> values);

// Views stay valid while the file lives (moves included). Const use from several threads is safe.
class GgufFile {
 public:
  // Error(kBadInput) names the file and the key or tensor at fault; nothing is allocated on a count's word alone.
  explicit GgufFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::uint32_t version() const { return contents_.version; }
  const std::vector<GgufTensor>& tensors() const { return contents_.tensors; }  // file order
  const GgufTensor* find(std::string_view name) const;
  const GgufTensor& at(const std::string& name) const;
  const MappedFile& mapping() const { return mapping_; }

  // Metadata. `get`: Error(kBadInput) naming file and key when absent or of another type; numbers convert
  // between widths where the value fits. `find`: nothing when absent, the error when of another type.
  bool contains(std::string_view key) const;
  std::string get_string(const std::string& key) const;
  std::int64_t get_integer(const std::string& key) const;
  double get_number(const std::string& key) const;
  std::optional<std::string> find_string(const std::string& key) const;
  std::optional<std::int64_t> find_integer(const std::string& key) const;
  std::optional<double> find_number(const std::string& key) const;
  std::optional<bool> find_bool(const std::string& key) const;
  std::vector<std::string> get_strings(const std::string& key) const;    // array of strings
  std::vector<std::int64_t> get_integers(const std::string& key) const;  // array of integers
  std::vector<double> get_numbers(const std::string& key) const;         // array of numbers

  struct Contents {
    std::uint32_t version = 0;
    std::map<std::string, GgufValue, std::less<>> metadata;
    std::vector<GgufTensor> tensors;
  };

 private:
  const GgufValue& value(const std::string& key) const;
  [[noreturn]] void throw_wrong_type(const std::string& key, const char* wanted) const;

  std::filesystem::path path_;
  MappedFile mapping_;
  Contents contents_;
};

// The pure part: validates header, metadata and tensor infos of a whole file's bytes.
GgufFile::Contents parse_gguf(std::span<const std::byte> file, const std::string& origin);

}  // namespace cutd
