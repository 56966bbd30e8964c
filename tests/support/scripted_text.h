// The text side of a model without a model: token ids are the bytes of the text plus 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "round/run_text.h"

namespace cutd {

constexpr std::int64_t kScriptedEos = 2;

inline std::vector<std::int64_t> scripted_encode(std::string_view text) {
  std::vector<std::int64_t> ids;
  for (const char byte : text) ids.push_back(static_cast<unsigned char>(byte) + 3);
  return ids;
}

inline std::string scripted_decode(const std::vector<std::int64_t>& ids) {
  std::string text;
  for (const std::int64_t id : ids) text.push_back(static_cast<char>(id - 3));
  return text;
}

inline RunText scripted_text(const std::filesystem::path&, const PromptTemplateConfig& config) {
  const TextEncoder encode = [](const std::string& text, bool) { return scripted_encode(text); };
  return RunText{PromptTemplate(config, {}), encode, kScriptedEos};
}

}  // namespace cutd
