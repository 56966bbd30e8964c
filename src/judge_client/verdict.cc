#include "judge_client/verdict.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/blanks.h"
#include "core/error.h"
#include "core/json.h"
#include "dataset/label_rule.h"
#include "judge_client/reply_check.h"
#include "judge_client/words.h"

namespace cutd {
namespace {

JudgeFailure unusable(std::string reason) { return {JudgeFailureKind::kUnusable, std::move(reason)}; }

Verdict perfect() { return {true, "Perfect."}; }

JudgeOutcome criticism(std::string_view judgment) {
  const std::string_view text = trim_blanks(judgment);
  if (text.empty()) return unusable("it says that something is wrong and not what");
  if (is_positive_text(text)) return unusable("it decides against the response and calls it perfect");
  if (const auto problem = why_no_criticism(text)) return unusable(*problem);
  return Verdict{false, std::string(text)};
}

// The decision is the last word, alone or after the judgment.
JudgeOutcome read_yes_no(std::string_view text) {
  const std::size_t blank = text.find_last_of(kBlanks);
  const std::string_view last = blank == std::string_view::npos ? text : text.substr(blank + 1);
  const std::string_view judgment = blank == std::string_view::npos ? std::string_view() : text.substr(0, blank);
  if (last == "Yes.") return perfect();
  if (last == "No.") return criticism(judgment);
  return unusable("it does not end with \"Yes.\" or \"No.\"");
}

// Exactly the keys that are asked for, each of its type; a message where not.
std::optional<std::string> wrong_shape(const Json& value, const std::map<std::string, Json::value_t>& keys) {
  if (!value.is_object()) return "it is JSON but no object";
  for (const auto& [key, type] : keys) {
    if (!value.contains(key)) return "\"" + key + "\" is missing";
    const bool integer = type == Json::value_t::number_integer;
    if (integer ? !value[key].is_number_integer() : value[key].type() != type)
      return "\"" + key + "\" has the wrong type";
  }
  for (const auto& [key, entry] : value.items()) {
    if (!keys.contains(key)) return "\"" + key + "\" was not asked for";
  }
  return std::nullopt;
}

struct JsonReply {
  Json value;
  std::optional<std::string> problem;
};

JsonReply read_object(const VerdictRule& rule, std::string_view text, std::string_view item, const char* decision,
                      Json::value_t type) {
  JsonReply reply;
  if (!text.starts_with("{")) {  // a parser's complaint about its first letter helps nobody
    reply.problem = "it is no JSON object: another model, or a server that heeds the schema, may do as the prompt says";
    return reply;
  }
  try {
    reply.value = parse_json(text, "the reply");
  } catch (const Error& error) {
    reply.problem = error.what();
    return reply;
  }
  std::map<std::string, Json::value_t> keys = {{decision, type}, {"critique", Json::value_t::string}};
  if (rule.has_item) keys["item"] = Json::value_t::string;
  reply.problem = wrong_shape(reply.value, keys);
  if (!reply.problem && rule.has_item && reply.value["item"].get<std::string>() != item) {
    reply.problem = "it answers another item";
  }
  return reply;
}

// What is decided, with the words that must stand beside it.
JudgeOutcome decide_json(const Json& value, bool is_perfect) {
  const std::string judgment = value["critique"].get<std::string>();
  if (is_perfect) return perfect();
  if (const auto problem = why_no_judgment(judgment)) return unusable(*problem);
  return criticism(judgment);
}

JudgeOutcome read_decision(const VerdictRule& rule, std::string_view text, std::string_view item) {
  const JsonReply reply = read_object(rule, text, item, "perfect", Json::value_t::boolean);
  if (reply.problem) return unusable(*reply.problem);
  return decide_json(reply.value, reply.value["perfect"].get<bool>());
}

JudgeOutcome read_rating(const VerdictRule& rule, std::string_view text, std::string_view item) {
  const JsonReply reply = read_object(rule, text, item, "rating", Json::value_t::number_integer);
  if (reply.problem) return unusable(*reply.problem);
  const auto rating = reply.value["rating"].get<double>();
  if (rating < 1 || rating > 10) return unusable("its rating lies outside of 1 to 10");
  return decide_json(reply.value, rating >= rule.threshold);
}

}  // namespace

JudgeOutcome parse_perfect_prefix(std::string_view reply) {
  const std::string_view text = trim_blanks(reply);
  if (const auto problem = why_no_text(text)) return unusable(*problem);
  return Verdict{is_positive_text(text), std::string(text)};
}

std::vector<std::string> verdict_parsers() {
  return {"perfect_prefix", "yes_no_decision", "json_schema", "rating_threshold"};
}

JudgeOutcome parse_verdict(const VerdictRule& rule, std::string_view reply, std::string_view item) {
  const std::string_view text = trim_blanks(reply);
  if (const auto problem = why_no_text(text)) return unusable(*problem);
  if (rule.parser == "json_schema") return read_decision(rule, text, item);
  if (rule.parser == "rating_threshold") return read_rating(rule, text, item);
  if (const auto problem = why_no_judgment(text)) return unusable(*problem);
  if (rule.parser == "yes_no_decision") return read_yes_no(text);
  if (rule.parser == "perfect_prefix") return is_positive_text(text) ? parse_perfect_prefix(text) : criticism(text);
  throw Error(ErrorCode::kUsage, "unknown verdict parser \"" + rule.parser + "\"");
}

}  // namespace cutd
