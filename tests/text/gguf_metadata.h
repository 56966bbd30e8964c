// The tokenizer metadata of a GGUF file, for tests of src/text, which may not link src/weights. Trusts the file.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "text/gguf_tokenizer.h"

namespace cutd {

class GgufMetadata {
 public:
  explicit GgufMetadata(const std::string& path) : file_(path, std::ios::binary) {
    constexpr std::streamoff kAfterMagicVersionAndTensorCount = 16;
    file_.seekg(kAfterMagicVersionAndTensorCount);
    const auto count = number<std::uint64_t>();
    for (std::uint64_t index = 0; index < count; ++index) {
      const std::string key = text();
      read_value(key, number<std::uint32_t>());
    }
  }

  GgufTokenizer tokenizer() const {
    GgufTokenizer result;
    result.model = texts_.at("tokenizer.ggml.model").front();
    result.pre = texts_.at("tokenizer.ggml.pre").front();
    result.tokens = texts_.at("tokenizer.ggml.tokens");
    for (const double type : numbers_.at("tokenizer.ggml.token_type")) {
      result.token_types.push_back(static_cast<std::int32_t>(type));
    }
    result.merges = texts_.at("tokenizer.ggml.merges");
    result.bos_id = integer("tokenizer.ggml.bos_token_id");
    result.eos_id = integer("tokenizer.ggml.eos_token_id");
    result.unk_id = integer("tokenizer.ggml.unknown_token_id");
    result.pad_id = integer("tokenizer.ggml.padding_token_id");
    result.add_bos = integer("tokenizer.ggml.add_bos_token") != 0;
    result.chat_template = texts_.at("tokenizer.chat_template").front();
    result.context_length = integer("llama.context_length");
    return result;
  }

 private:
  std::int64_t integer(const std::string& key) const { return static_cast<std::int64_t>(numbers_.at(key).front()); }

  template <typename T>
  T number() {
    T value{};
    file_.read(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }

  std::string text() {
    std::string result(number<std::uint64_t>(), '\0');
    file_.read(result.data(), static_cast<std::streamsize>(result.size()));
    return result;
  }

  void read_value(const std::string& key, std::uint32_t type) {
    switch (type) {
      case 0:
      case 7: numbers_[key].push_back(number<std::uint8_t>()); break;
      case 1: numbers_[key].push_back(number<std::int8_t>()); break;
      case 2: numbers_[key].push_back(number<std::uint16_t>()); break;
      case 3: numbers_[key].push_back(number<std::int16_t>()); break;
      case 4: numbers_[key].push_back(number<std::uint32_t>()); break;
      case 5: numbers_[key].push_back(number<std::int32_t>()); break;
      case 6: numbers_[key].push_back(static_cast<double>(number<float>())); break;
      case 8: texts_[key].push_back(text()); break;
      case 9: {
        const auto element = number<std::uint32_t>();
        const auto count = number<std::uint64_t>();
        for (std::uint64_t index = 0; index < count; ++index) read_value(key, element);
        break;
      }
      case 10: numbers_[key].push_back(static_cast<double>(number<std::uint64_t>())); break;
      case 11: numbers_[key].push_back(static_cast<double>(number<std::int64_t>())); break;
      default: numbers_[key].push_back(number<double>()); break;
    }
  }

  std::ifstream file_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::map<std::string, std::vector<double>> numbers_;
};

}  // namespace cutd
