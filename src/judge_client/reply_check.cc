#include "judge_client/reply_check.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/blanks.h"
#include "dataset/prompt_template.h"
#include "judge_client/markers.h"
#include "judge_client/verdict.h"
#include "judge_client/words.h"

namespace cutd {
namespace {

// How models decline: a judgment speaks of the response, these begin by speaking of the judge itself.
// All folded: lower case, straight apostrophes.
constexpr std::string_view kRefusals[] = {
    "i'm sorry", "i am sorry", "sorry,", "sorry but", "sorry.", "i apologize", "i apologise", "my apologies",
    "apologies", "i must decline", "i have to decline", "i need to decline", "i decline", "i respectfully decline",
    "as an ai", "as a language model", "as a large language model", "i'm just an ai", "i'm an ai", "i am an ai",
    "unfortunately, i", "unfortunately i", "regrettably, i", "i'm afraid", "i am afraid", "i don't feel comfortable",
    "i do not feel comfortable", "i'm not comfortable", "i am not comfortable", "i would prefer not", "i'd prefer not",
    "i'd rather not", "it is not appropriate for me", "it's not appropriate for me", "please provide the instruction",
    "please provide the response", "please provide both", "please provide an instruction", "please provide a response",
    "could you please", "can you please", "could you provide", "can you provide", "i don't have access",
    "i do not have access", "i don't have enough", "i do not have enough", "i don't see any", "i do not see any",
    "this request violates", "this content violates", "this content may violate", "your request was rejected",
    "content filtered",
    // other languages
    "lo siento", "je suis désolé", "désolé", "es tut mir leid", "tut mir leid", "mi dispiace", "desculpe",
    "sinto muito", "beklager", "извините", "к сожалению, я", "对不起", "抱歉", "很抱歉", "申し訳", "すみません",
    "죄송"};

// "I can't comprehend how …" criticises; "I can't help with that" refuses.
constexpr std::string_view kInabilities[] = {
    "i can't ",        "i cannot ",        "i can not ",        "i won't ",     "i will not ", "i'm unable to ",
    "i am unable to ", "i'm not able to ", "i am not able to ", "i could not ", "i couldn't "};
constexpr std::string_view kDeniedActs[] = {
    "help",     "assist",   "provide", "comply",   "fulfill", "fulfil",  "do ",         "judge",
    "evaluate", "answer",   "engage",  "continue", "respond", "discuss", "create",      "write",
    "generate", "complete", "give",    "offer",    "rate",    "review",  "assess",      "process",
    "support",  "access",   "see",     "view",     "read",    "open",    "participate", "in good conscience",
    "fully",    "directly", "make",    "analyze",  "analyse", "comment", "perform",     "accept",
    "proceed",  "be ",      "share",   "produce",  "reply"};

// Errors that servers and proxies put into the text of an answer; $ERROR$ stands in the authors' own data.
constexpr std::string_view kErrors[] = {"error:",
                                        "error code",
                                        "$error$",
                                        "[error]",
                                        "(error)",
                                        "error 4",
                                        "error 5",
                                        "http error",
                                        "internal server error",
                                        "internal error",
                                        "bad gateway",
                                        "gateway time",
                                        "service unavailable",
                                        "service temporarily",
                                        "temporarily unavailable",
                                        "too many requests",
                                        "rate limit",
                                        "request timed out",
                                        "request timeout",
                                        "request failed",
                                        "timed out",
                                        "timeout",
                                        "upstream ",
                                        "no healthy upstream",
                                        "traceback (most recent",
                                        "exception:",
                                        "runtimeerror",
                                        "the model is overloaded",
                                        "the model is currently overloaded",
                                        "overloaded",
                                        "the server had",
                                        "server error",
                                        "cuda out of memory",
                                        "invalid api key",
                                        "incorrect api key",
                                        "invalid request",
                                        "access denied",
                                        "connection refused",
                                        "connection reset",
                                        "connection error",
                                        "connection aborted",
                                        "this model's maximum context",
                                        "maximum context length",
                                        "context length exceeded",
                                        "you exceeded your",
                                        "you have exceeded",
                                        "quota exceeded",
                                        "your account",
                                        "your credit",
                                        "model not found",
                                        "the model `",
                                        "that model is",
                                        "we're sorry",
                                        "we are sorry",
                                        "an error occurred",
                                        "an unexpected error",
                                        "something went wrong",
                                        "just a moment",
                                        "attention required",
                                        "checking your browser",
                                        "max retries exceeded",
                                        "data: ",
                                        "event: ",
                                        "[object object]",
                                        "finish_reason",
                                        "content_filter"};

bool begins_with_one_of(std::string_view folded, const auto& beginnings) {
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view beginning) { return folded.starts_with(beginning); });
}

bool is_refusal(std::string_view folded) {
  if (begins_with_one_of(folded, kRefusals)) return true;
  return std::any_of(std::begin(kInabilities), std::end(kInabilities), [&](std::string_view inability) {
    return folded.starts_with(inability) && begins_with_one_of(folded.substr(inability.size()), kDeniedActs);
  });
}

// "502 bad gateway" without its number.
std::string_view without_status(std::string_view folded) {
  const bool status = folded.size() > 4 && folded[3] == ' ' && folded[0] >= '4' && folded[0] <= '5' &&
                      folded.substr(1, 2).find_first_not_of("0123456789") == std::string_view::npos;
  return status ? folded.substr(4) : folded;
}

bool has_a_word(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (is_word_character(next_character(text, position))) return true;
  }
  return false;
}

// Sentences of the templates that no judgment would write by itself.
std::vector<std::string> long_lines(std::string_view text) {
  constexpr std::size_t kLong = 40;
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\n{", from), text.size());
    const std::string_view line = trim_blanks(text.substr(from, end - from));
    if (line.size() >= kLong) lines.emplace_back(line.substr(0, 2 * kLong));
    from = end + 1;
  }
  return lines;
}

// "The response is perfect", said in one sentence and not denied in it.
bool is_praise(std::string_view text) {
  static const std::set<std::string_view> kDenials = {"not",   "isn't",  "almost",    "nearly",  "never",  "far",
                                                      "less",  "but",    "except",    "however", "though", "although",
                                                      "if",    "should", "could",     "hardly",  "from",   "yet",
                                                      "while", "other",  "otherwise", "without", "neither"};
  static const std::set<std::string_view> kVerbs = {"is", "it's", "looks", "seems", "was", "this's", "that's"};
  const std::vector<Word> words = split_words(text);
  bool praised = false, denied = false;
  std::string before, before_that;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string bare = bare_word(words[i].text);
    denied = denied || kDenials.contains(bare);
    const bool ends = ends_sentence(words, i) || i + 1 == words.size();
    if (bare == "perfect" && ends && (kVerbs.contains(before) || kVerbs.contains(before_that))) praised = true;
    if (praised && ends && denied) praised = false;
    if (ends) denied = false;
    before_that = before;
    before = bare;
  }
  return praised;
}

}  // namespace

std::optional<std::string> why_no_text(std::string_view text) {
  if (text.empty()) return "the reply is empty";
  if (text.size() > kMostJudgmentBytes) return "the reply is longer than any judgment";
  if (text.find('\0') != std::string_view::npos) return "the reply holds a NUL byte";
  if (!is_valid_utf8(text)) return "the reply is not UTF-8";
  return std::nullopt;
}

std::optional<std::string> why_no_judgment(std::string_view text) {
  if (const auto problem = why_no_text(trim_blanks(text))) return problem;
  const std::string folded = fold(trim_blanks(text));
  if (folded.front() == '<') return "the reply is a page, not a text";
  if (folded.front() == '{' || folded.front() == '[') return "the reply is an object, not a text";
  // What a quote or bold type begins is said all the same.
  const std::string_view bare =
      std::string_view(folded).substr(std::min(folded.find_first_not_of("*_#>`'\" "), folded.size()));
  if (is_refusal(bare)) return "the judge declined";
  if (begins_with_one_of(without_status(bare), kErrors)) return "the reply is an error message";
  if (neutralise_delimiters(text) != text || count_markers(text, common_markers()) > 0)
    return "the reply holds a delimiter of the prompt";
  if (folded.find("</html>") != std::string::npos) return "the reply is a page, not a text";
  if (!has_a_word(text)) return "the reply holds no word";
  return std::nullopt;
}

std::optional<std::string> why_no_criticism(std::string_view text) {
  constexpr std::size_t kLeastWords = 2;
  std::set<std::string> different;
  for (const Word& word : split_words(text)) {
    std::string bare = bare_word(word.text);
    if (!bare.empty()) different.insert(std::move(bare));
  }
  if (different.size() < kLeastWords) return "a criticism of one word says nothing";
  if (is_praise(text)) return "the reply praises instead of criticising, and is not \"Perfect.\"";
  return std::nullopt;
}

bool repeats_prompt(std::string_view text, std::string_view prompt) {
  for (const std::string& line : long_lines(prompt)) {
    if (text.find(line) != std::string_view::npos) return true;
  }
  return false;
}

bool repeats_item(std::string_view text, std::string_view item) {
  constexpr std::size_t kLeastWords = 3;
  const std::string_view bare = trim_blanks(text);
  return item.find(bare) != std::string_view::npos && split_words(bare).size() >= kLeastWords;
}

}  // namespace cutd
