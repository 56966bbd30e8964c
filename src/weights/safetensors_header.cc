// parse_safetensors: the header of a safetensors file, from untrusted bytes. A streaming JSON reader fills the
// tensor list directly, so that memory stays a small multiple of the header and duplicate keys are seen.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "weights/safetensors.h"

namespace cutd {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr std::size_t kMaxStringBytes = 16U << 20;      // names and metadata; bounds the reader's buffers
constexpr std::size_t kMaxTensors = 250'000;
constexpr std::size_t kMaxMetadataEntries = 100'000;
constexpr std::size_t kMaxTensorDimensions = 32;

struct TensorEntry {
  TensorView view;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// At most 80 bytes of a name from the file, safe to print.
std::string shown(std::string_view name) {
  return nlohmann::json(std::string(name.substr(0, 80))).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Receives the header's JSON events. States follow the one allowed nesting:
// { name: { dtype, shape: [..], data_offsets: [..] }, "__metadata__": { key: text } }
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& origin) : origin_(origin) {}

  std::vector<TensorEntry> take_entries() { return std::move(entries_); }
  TensorMetadata take_metadata() { return std::move(metadata_); }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a number that is not an integer"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::kShape) {
      if (entries_.back().view.shape.size() == kMaxTensorDimensions) fail("has more than 32 dimensions");
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        fail("has a dimension above 2^63");
      entries_.back().view.shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (state_ == State::kOffsets) {
      if (offsets_seen_ == 2) fail("has more than two data_offsets");
      (offsets_seen_ == 0 ? entries_.back().begin : entries_.back().end) = value;
      ++offsets_seen_;
      return true;
    }
    return unexpected("a number");
  }

  bool string(string_t& value) override {
    if (state_ == State::kMetadata) {
      if (metadata_.size() == kMaxMetadataEntries) fail("has more than 100000 entries");
      if (!metadata_.emplace(key_, value).second) fail("has the metadata key " + shown(key_) + " twice");
      return true;
    }
    if (state_ != State::kTensor || field_ != "dtype") return unexpected("a string");
    const std::optional<DType> dtype = dtype_from_name(value);
    if (!dtype) fail("has the unknown dtype " + shown(value));
    entries_.back().view.dtype = *dtype;
    return true;
  }

  bool start_object(std::size_t) override {
    switch (state_) {
      case State::kStart: state_ = State::kTop; return true;
      case State::kTop:
        if (key_ == "__metadata__") {
          if (std::exchange(metadata_seen_, true))
            throw Error(ErrorCode::kBadInput, origin_ + ": __metadata__ is there twice");
          state_ = State::kMetadata;
          return true;
        }
        if (entries_.size() == kMaxTensors) throw Error(ErrorCode::kBadInput, origin_ + ": more than 250000 tensors");
        state_ = State::kTensor;
        entries_.emplace_back();
        entries_.back().view.name = key_;
        fields_seen_.clear();
        return true;
      default: return unexpected("an object");
    }
  }

  bool key(string_t& value) override {
    if (state_ == State::kTensor) {
      if (!fields_seen_.insert(value).second) fail("has the field " + shown(value) + " twice");
      if (value != "dtype" && value != "shape" && value != "data_offsets")
        fail("has the unknown field " + shown(value));
      field_ = value;
    } else {
      key_ = value;
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::kTensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_seen_.contains(field)) fail(std::string("has no ") + field);
      }
    }
    state_ = state_ == State::kTop ? State::kStart : State::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ != State::kTensor || field_ == "dtype") return unexpected("an array");
    state_ = field_ == "shape" ? State::kShape : State::kOffsets;
    offsets_seen_ = 0;
    return true;
  }

  bool end_array() override {
    if (state_ == State::kOffsets && offsets_seen_ != 2) fail("needs two data_offsets");
    state_ = State::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the header is not valid JSON at byte {}", origin_, 8 + position));
  }

 private:
  enum class State { kStart, kTop, kTensor, kMetadata, kShape, kOffsets };

  [[noreturn]] void fail(const std::string& why) const {
    const std::string subject =
        state_ == State::kMetadata ? "__metadata__" : "tensor " + shown(entries_.back().view.name);
    throw Error(ErrorCode::kBadInput, origin_ + ": " + subject + " " + why);
  }

  bool unexpected(const char* what) const {
    if (state_ == State::kStart || state_ == State::kTop) {
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: {} where the header needs an object (key {})", origin_, what, shown(key_)));
    }
    fail(
        fmt::format("has {} where {} is expected", what, state_ == State::kTensor ? "its " + field_ : "another value"));
  }

  const std::string& origin_;
  State state_ = State::kStart;
  std::string key_;    // of the top level or the metadata
  std::string field_;  // of a tensor
  std::set<std::string> fields_seen_;
  int offsets_seen_ = 0;
  bool metadata_seen_ = false;
  std::vector<TensorEntry> entries_;
  TensorMetadata metadata_;
};

// Cheap checks that need no JSON: they bound what the reader can allocate.
std::string_view header_text(std::span<const std::byte> file, const std::string& origin) {
  const auto refuse = [&](const std::string& why) { throw Error(ErrorCode::kBadInput, origin + ": " + why); };
  if (file.size() < 8) refuse(fmt::format("{} bytes are too few for a safetensors file", file.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof(length));
  if (length < 2) refuse(fmt::format("the header is {} bytes long", length));
  if (length > kMaxHeaderBytes)
    refuse(fmt::format("a header of {} bytes is above the limit of {}", length, kMaxHeaderBytes));
  if (length > file.size() - 8) {
    refuse(fmt::format("the header is said to be {} bytes long but the file ends after {}", length, file.size() - 8));
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length));
  if (text.front() != '{') refuse("the header does not begin with '{'");
  // The JSON library takes NUL for the end of its input.
  if (const std::size_t nul = text.find('\0'); nul != text.npos)
    refuse(fmt::format("NUL at byte {} of the header", 8 + nul));
  std::size_t string_begin = text.npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (string_begin == text.npos) {
      if (text[i] == '"') string_begin = i;
      continue;
    }
    if (i - string_begin > kMaxStringBytes) refuse("a string of the header is longer than 16 MiB");
    if (text[i] == '\\') ++i;
    else if (text[i] == '"') string_begin = text.npos;
  }
  return text;
}

void check_size(const TensorEntry& entry, std::uint64_t data_bytes, const std::string& origin) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: tensor {} {}", origin, shown(entry.view.name), why));
  };
  if (entry.begin > entry.end || entry.end > data_bytes) {
    refuse(fmt::format("has data_offsets [{}, {}] but the file holds {} bytes of data", entry.begin, entry.end,
                       data_bytes));
  }
  std::uint64_t size = dtype_size(entry.view.dtype);
  for (const std::int64_t dimension : entry.view.shape) {
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(dimension), &size))
      refuse("has a shape whose size overflows");
  }
  if (size != entry.end - entry.begin) {
    refuse(fmt::format("has {} bytes of data but its shape and type need {}", entry.end - entry.begin, size));
  }
}

// The tensors must cover the data exactly: sorted by place, each begins where the one before ended.
void check_coverage(std::vector<TensorEntry>& entries, std::uint64_t data_bytes, const std::string& origin) {
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& left, const TensorEntry& right) {
    return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
  });
  std::uint64_t position = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.begin != position) {
      throw Error(
          ErrorCode::kBadInput,
          fmt::format("{}: tensor {} begins at {} of the data but {}", origin, shown(entry.view.name), entry.begin,
                      entry.begin < position ? fmt::format("overlaps another that ends at {}", position)
                                             : fmt::format("leaves a hole after {}", position)));
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {} bytes after the last tensor belong to none", origin, data_bytes - position));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& origin) {
  const std::string_view text = header_text(file, origin);
  HeaderReader reader(origin);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);

  const std::span<const std::byte> data = file.subspan(8 + text.size());
  std::vector<TensorEntry> entries = reader.take_entries();
  for (const TensorEntry& entry : entries) check_size(entry, data.size(), origin);
  check_coverage(entries, data.size(), origin);

  SafetensorsHeader header;
  header.metadata = reader.take_metadata();
  header.tensors.reserve(entries.size());
  for (TensorEntry& entry : entries) {
    entry.view.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    header.tensors.push_back(std::move(entry.view));
  }
  const auto by_name = [](const TensorView& left, const TensorView& right) { return left.name < right.name; };
  std::sort(header.tensors.begin(), header.tensors.end(), by_name);
  const auto same_name = [](const TensorView& left, const TensorView& right) { return left.name == right.name; };
  const auto twice = std::adjacent_find(header.tensors.begin(), header.tensors.end(), same_name);
  if (twice != header.tensors.end())
    throw Error(ErrorCode::kBadInput, origin + ": tensor " + shown(twice->name) + " is there twice");
  return header;
}

}  // namespace cutd
