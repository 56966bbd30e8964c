#include "cutd/model_import.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdio>

#include "core/error.h"
#include "core/signals.h"
#include "cutd/terminal.h"

namespace cutd {

std::string model_name_of(const std::filesystem::path& source) {
  std::filesystem::path last = source.filename().empty() ? source.parent_path().filename() : source.filename();
  if (last == "." || last == "..") last = std::filesystem::absolute(source).lexically_normal().parent_path().filename();
  std::string name = last.string();
  if (name.ends_with(".gguf")) name.resize(name.size() - 5);
  for (char& letter : name) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    const bool plain =
        (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '.' || letter == '_';
    if (!plain) letter = '-';
  }
  if (name.find_first_not_of(".-") == std::string::npos) {
    throw Error(ErrorCode::kUsage,
                "\"" + source.string() + "\" gives no name for the model: choose a folder with --output");
  }
  return name;
}

DType parse_import_dtype(const std::string& name) {
  if (name == "float32") return DType::kF32;
  if (name == "float16") return DType::kF16;
  if (name == "bfloat16") return DType::kBF16;
  throw Error(ErrorCode::kUsage, "--dtype must be float32, float16 or bfloat16, not \"" + name + "\"");
}

ImportResult import_model_with_progress(const std::filesystem::path& source, const std::filesystem::path& output,
                                        DType dtype, const std::stop_token& stop) {
  const bool live = terminal_width(stderr) > 0;
  std::uint64_t shown = 0;
  const ImportResult result = import_model({source, output, dtype}, [&](std::uint64_t done, std::uint64_t total) {
    throw_if_stopped(stop, "importing");
    const std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
    if (!live || percent == shown) return;
    shown = percent;
    fmt::print(stderr, "\rimporting {}: {} %", source.filename().string(), percent);
    std::fflush(stderr);
  });
  if (live && shown > 0) fmt::print(stderr, "\r\x1b[K");
  if (!result.has_tokenizer) {
    fmt::print(stderr, "warning: {} has no tokenizer; only token ids can be used with it\n", result.directory.string());
  }
  return result;
}

}  // namespace cutd
