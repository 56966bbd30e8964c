#include <algorithm>
#include <array>

#include "core/error.h"
#include "exchange/format.h"

namespace cutd {
namespace {

constexpr std::array kNames = {"instructions",
                               "alpaca",
                               "triplets",
                               "sharegpt",
                               "messages",
                               "prompt",
                               "prompt-completion",
                               "preference",
                               "unpaired",
                               "alpaca-eval-outputs",
                               "alpaca-eval-annotations",
                               "argilla",
                               "label-studio"};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

const char* format_name(DataFormat format) { return kNames.at(static_cast<std::size_t>(format)); }

std::vector<std::string> format_names() { return {kNames.begin(), kNames.end()}; }

DataFormat format_of(const std::string& name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end())
    throw Error(ErrorCode::kUsage, "there is no format \"" + name + "\": there are " + joined(format_names()));
  return static_cast<DataFormat>(found - kNames.begin());
}

DataFormat detect_format(const std::vector<RawRecord>& records) {
  const RawRecord& first = records.front();
  const auto has = [&](const char* key) { return first.value.contains(key); };
  if (has("conversations")) return DataFormat::kShareGpt;
  if (has("messages")) return DataFormat::kMessages;
  if (has("chosen") && has("rejected")) return DataFormat::kPreference;
  if (has("prompt") && has("completion")) return has("label") ? DataFormat::kUnpaired : DataFormat::kPromptCompletion;
  if (has("prompt")) return DataFormat::kPrompt;
  if (has("instruction") && has("output_1") && has("output_2")) return DataFormat::kAlpacaEvalAnnotations;
  if (has("instruction") && has("output")) {
    if (has("judgment")) return DataFormat::kTriplets;
    return has("generator") ? DataFormat::kAlpacaEvalOutputs : DataFormat::kAlpaca;
  }
  if (has("instruction")) return DataFormat::kInstructions;
  if (has("fields")) return DataFormat::kArgilla;
  if (has("data")) return DataFormat::kLabelStudio;
  std::vector<std::string> keys;
  for (const auto& [key, value] : first.value.items()) keys.push_back(key);
  throw Error(ErrorCode::kBadInput, first.origin + ": no known format has the keys " + joined(keys) +
                                        "; say which it is with --format (" + joined(format_names()) + ")");
}

}  // namespace cutd
