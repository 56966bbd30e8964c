#include "judge_client/guideline.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/hash.h"

namespace cutd {
namespace {

// Raised whenever a check or the wording of a judgment changes.
constexpr const char* kChecksVersion = "rules/1";

std::string quoted_list(const std::vector<std::string>& phrases) {
  std::string list;
  for (std::size_t i = 0; i < phrases.size(); ++i) list += (i == 0 ? "\"" : ", \"") + phrases[i] + "\"";
  return list;
}

}  // namespace

void declare_guideline_options(OptionTable& table, Guideline& guideline, const std::string& section) {
  const auto key = [&](const char* name) { return section + "." + name; };
  table.add(key("min_words"), &guideline.min_words, "fewer words are too short", at_least(0));
  table.add(key("max_words"), &guideline.max_words, "more words are too long", at_least(1));
  table.add(key("forbidden_openings"), &guideline.forbidden_openings, "chatter that a response must not open with");
  table.add(key("self_talk"), &guideline.self_talk, "phrases in which a response talks about itself or its writer");
  table.add(key("forbid_lists"), &guideline.forbid_lists, "no numbered, dashed or labelled lists");
  table.add(key("forbid_markup"), &guideline.forbid_markup, "no headings, bold, code, tables or tags");
  table.add(key("forbid_line_breaks"), &guideline.forbid_line_breaks, "one paragraph");
  table.add(key("require_complete_end"), &guideline.require_complete_end, "ends by itself, with a complete sentence");
  table.add(key("repeated_words"), &guideline.repeated_words,
            "this many words in a row must not come twice (0: allowed)", at_least(0));
  table.add(key("repeated_pieces"), &guideline.repeated_pieces,
            "the same piece must not come this often in a row (0: allowed)", at_least(0));
  table.add(key("require_subject"), &guideline.require_subject,
            "mentions at least one content word of the instruction");
  table.add(key("max_defects"), &guideline.max_defects, "most defects named in one judgment", at_least(1));
  table.add(key("max_quoted_words"), &guideline.max_quoted_words, "most words quoted for one defect", at_least(3));
}

void check_guideline(const Guideline& guideline, const std::string& origin) {
  if (guideline.min_words > guideline.max_words) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: guideline.min_words ({}) is above guideline.max_words ({}): no response could pass",
                            origin, guideline.min_words, guideline.max_words));
  }
  if (guideline.repeated_words == 1 || guideline.repeated_pieces == 1) {
    throw Error(
        ErrorCode::kUsage,
        origin + ": guideline.repeated_words and repeated_pieces must be 0 or at least 2: no response could pass");
  }
}

std::string guideline_version(const Guideline& guideline) {
  Guideline copy = guideline;
  OptionTable table;
  declare_guideline_options(table, copy, "guideline");
  return sha256_hex(kChecksVersion + to_json_text(table.effective())).substr(0, 16);
}

std::string guideline_prose(const Guideline& guideline) {
  std::string prose = fmt::format("Write {} of {} to {} words on the subject asked.",
                                  guideline.forbid_line_breaks ? "one paragraph of plain prose" : "plain prose",
                                  guideline.min_words, guideline.max_words);
  if (guideline.require_subject) prose += " Mention what the instruction is about.";
  if (guideline.forbid_lists) prose += " No lists, neither numbered nor dashed nor labelled as steps.";
  if (guideline.forbid_markup) prose += " No headings, bold, code, tables or tags.";
  if (!guideline.forbidden_openings.empty())
    prose += " Do not open with chatter such as " + quoted_list(guideline.forbidden_openings) + ".";
  if (!guideline.self_talk.empty())
    prose += " Do not talk about yourself or to the reader: " + quoted_list(guideline.self_talk) + ".";
  if (guideline.repeated_words > 0)
    prose += fmt::format(" Do not repeat yourself: no {} words in a row come twice.", guideline.repeated_words);
  if (guideline.repeated_pieces > 0)
    prose += fmt::format(" Nothing comes {} times in a row.", guideline.repeated_pieces);
  if (guideline.require_complete_end) prose += " Stop by yourself, with a complete sentence.";
  return prose;
}

}  // namespace cutd
