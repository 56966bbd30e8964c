// Shared by the tests of src/weights: temporary folders, raw files, tiny models and GGUF files, error texts.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "support/golden.h"
#include "support/temporary_directory.h"
#include "weights/model_config.h"
#include "weights/safetensors.h"

namespace cutd {

inline void write_raw(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::span<const std::byte> as_span(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }

// The text of the Error(kBadInput) that `action` throws; fails the test when it throws none or another one.
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

// A whole safetensors file: length, header text, data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

constexpr std::uint32_t kF32 = 0;  // as a GGUF file numbers its types

// Writes a GGUF file piece by piece.
class GgufBuilder {
 public:
  GgufBuilder& text(const std::string& key, const std::string& value) {
    begin(key, 8);
    put_text(metadata_, value);
    return *this;
  }
  GgufBuilder& uint32(const std::string& key, std::uint32_t value) {
    begin(key, 4);
    put(metadata_, value);
    return *this;
  }
  GgufBuilder& float32(const std::string& key, float value) {
    begin(key, 6);
    put(metadata_, value);
    return *this;
  }
  GgufBuilder& boolean(const std::string& key, bool value) {
    begin(key, 7);
    put(metadata_, static_cast<std::uint8_t>(value));
    return *this;
  }
  GgufBuilder& texts(const std::string& key, const std::vector<std::string>& values) {
    begin(key, 9);
    put(metadata_, std::uint32_t{8});
    put(metadata_, static_cast<std::uint64_t>(values.size()));
    for (const std::string& value : values) put_text(metadata_, value);
    return *this;
  }
  GgufBuilder& int32s(const std::string& key, const std::vector<std::int32_t>& values) {
    begin(key, 9);
    put(metadata_, std::uint32_t{5});
    put(metadata_, static_cast<std::uint64_t>(values.size()));
    for (const std::int32_t value : values) put(metadata_, value);
    return *this;
  }
  // `shape` row-major, as Hugging Face has it; GGUF's order is the reverse.
  GgufBuilder& tensor(const std::string& name, std::uint32_t type, const std::vector<std::uint64_t>& shape,
                      const std::string& bytes) {
    put_text(infos_, name);
    put(infos_, static_cast<std::uint32_t>(shape.size()));
    for (auto dimension = shape.rbegin(); dimension != shape.rend(); ++dimension) put(infos_, *dimension);
    put(infos_, type);
    put(infos_, static_cast<std::uint64_t>(data_.size()));
    data_ += bytes;
    data_.append((32 - data_.size() % 32) % 32, '\0');
    ++tensors_;
    return *this;
  }
  std::string build(std::uint32_t version = 3) const {
    std::string file = "GGUF";
    put(file, version);
    put(file, tensors_);
    put(file, entries_);
    file += metadata_ + infos_;
    file.append((32 - file.size() % 32) % 32, '\0');
    return file + data_;
  }

  template <typename T>
  static void put(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }

 private:
  static void put_text(std::string& bytes, const std::string& text) {
    put(bytes, static_cast<std::uint64_t>(text.size()));
    bytes += text;
  }
  void begin(const std::string& key, std::uint32_t type) {
    put_text(metadata_, key);
    put(metadata_, type);
    ++entries_;
  }

  std::string metadata_;
  std::string infos_;
  std::string data_;
  std::uint64_t tensors_ = 0;
  std::uint64_t entries_ = 0;
};

inline std::string float_bytes(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

// A two-layer Llama small enough to write out.
inline ModelConfig tiny_config() {
  ModelConfig config;
  config.architecture = "LlamaForCausalLM";
  config.model_type = "llama";
  config.hidden_size = 8;
  config.intermediate_size = 12;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.vocab_size = 16;
  config.max_position_embeddings = 64;
  config.rms_norm_eps = 1e-5;
  config.eos_token_ids = {2};
  config.bos_token_id = 1;
  return config;
}

// Golden data of the project, where it is at hand.
inline std::optional<std::filesystem::path> golden(const std::string& name) {
  const std::filesystem::path path = golden_folder() / name;
  if (golden_folder().empty() || !std::filesystem::exists(path)) return std::nullopt;
  return path;
}

// The SmolLM2 GGUF that scripts/setup fetches.
inline std::optional<std::filesystem::path> smollm2_gguf() {
  const char* cache = std::getenv("CUTD_CACHE_DIR");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      cache != nullptr ? cache : std::string(home != nullptr ? home : "") + "/.cache/cutd";
  const std::filesystem::path path = root / "models/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

}  // namespace cutd
