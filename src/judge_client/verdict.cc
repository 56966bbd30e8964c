#include "judge_client/verdict.h"

#include "core/error.h"
#include "dataset/label_rule.h"
#include "judge_client/words.h"

namespace cutd {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

JudgeOutcome parse_perfect_prefix(std::string_view reply) {
  const std::string_view text = trim(reply);
  if (text.empty()) return JudgeFailure{JudgeFailureKind::kUnusable, "the reply is empty"};
  if (text.find('\0') != std::string_view::npos)
    return JudgeFailure{JudgeFailureKind::kUnusable, "the reply holds a NUL byte"};
  if (!is_valid_utf8(text)) return JudgeFailure{JudgeFailureKind::kUnusable, "the reply is not UTF-8"};
  return Verdict{is_positive_text(text), std::string(text)};
}

VerdictParser verdict_parser(const std::string& name) {
  if (name == "perfect_prefix") return &parse_perfect_prefix;
  throw Error(ErrorCode::kUsage, "unknown verdict parser \"" + name + "\" (there is perfect_prefix)");
}

}  // namespace cutd
