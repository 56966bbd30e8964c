// What cannot be a judgment, whatever a parser would make of it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutd {

// Why `text` (trimmed) says nothing at all: empty, longer than kMostJudgmentBytes, a NUL, not UTF-8. nullopt: it does.
std::optional<std::string> why_no_text(std::string_view text);

// Why `text` is no judgment in words: why_no_text(), a page or an object instead of a text, a refusal or apology of the
// judging model, a delimiter of judging prompts and training templates (the prompt echoed back, or an attempt to
// break out of the template), no word at all.
std::optional<std::string> why_no_judgment(std::string_view text);

// Why `text`, which is not "Perfect.", criticises nothing: fewer than two different words, or praise ("The response is
// perfect.") that follows no rule.
std::optional<std::string> why_no_criticism(std::string_view text);

// Whether `text` repeats a sentence of the prompt, of 40 bytes or more.
bool repeats_prompt(std::string_view text, std::string_view prompt);

// Whether `text` is nothing but a part of `item`, of three words or more: what was to be judged, given back.
bool repeats_item(std::string_view text, std::string_view item);

}  // namespace cutd
