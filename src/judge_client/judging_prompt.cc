#include "judge_client/judging_prompt.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/embedded.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/options.h"
#include "core/yaml.h"
#include "dataset/prompt_template.h"
#include "judge_client/markers.h"

namespace cutd {
namespace {

constexpr std::string_view kEnding = ".yaml";

using Values = std::map<std::string, std::string, std::less<>>;

// One pass over the template: what is put in is never searched for placeholders again.
std::string fill(std::string_view text, const Values& values) {
  std::string result;
  while (true) {
    const std::size_t open = text.find("{{");
    const std::size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    result += text.substr(0, open);
    if (close == std::string_view::npos) return open == std::string_view::npos ? result : result += text.substr(open);
    result += values.find(text.substr(open + 2, close - open - 2))->second;
    text.remove_prefix(close + 2);
  }
}

// Every name between double braces, in order.
std::vector<std::string> placeholders(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{", open)) {
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) break;
    names.emplace_back(text.substr(open + 2, close - open - 2));
    open = close + 2;
  }
  return names;
}

bool wants(const JudgingPrompt& prompt, const std::string& name) {
  for (const std::string& text : {prompt.system, prompt.user}) {
    const std::vector<std::string> names = placeholders(text);
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  }
  return false;
}

void check_prompt(const JudgingPrompt& prompt, const std::string& origin) {
  const auto refuse = [&](const std::string& why) { throw Error(ErrorCode::kUsage, origin + ": " + why); };
  for (const auto& [key, text] : {std::pair{"system", prompt.system}, std::pair{"user", prompt.user}}) {
    for (const std::string& name : placeholders(text)) {
      if (name == "instruction" || name == "response" || name == "reference" || name == "item") continue;
      refuse(std::string(key) + ": unknown placeholder {{" + name +
             "}} (there are {{instruction}}, {{response}}, {{reference}}, {{item}})");
    }
  }
  if (!wants(prompt, "response")) refuse("user: {{response}} is missing: the judge would not see what it judges");
  const bool reads_json = prompt.rule.parser == "json_schema" || prompt.rule.parser == "rating_threshold";
  if (reads_json != prompt.schema.is_object()) {
    refuse(reads_json ? "schema: parser " + prompt.rule.parser + " needs the JSON schema of the reply"
                      : "schema: parser " + prompt.rule.parser + " reads free text: leave it out");
  }
}

}  // namespace

JudgingPrompt parse_judging_prompt(const Json& value, const std::string& name, const std::string& origin) {
  JudgingPrompt prompt;
  prompt.name = name;
  OptionTable table;
  table.add("system", &prompt.system, "text of the system message; empty: none");
  table.add("user", &prompt.user, "text of the user message, with {{instruction}} and {{response}}");
  table.add("parser", &prompt.rule.parser, "how a reply becomes a verdict", one_of(verdict_parsers()));
  table.add("threshold", &prompt.rule.threshold, "least rating that is perfect", in_range(1, 10));
  table.add("max_tokens", &prompt.max_tokens, "most tokens of a reply", at_least(1));
  Json rest = value;
  if (rest.is_object() && rest.contains("schema")) {
    prompt.schema = rest["schema"];
    rest.erase("schema");
  }
  table.load(rest, origin);
  check_prompt(prompt, origin);
  prompt.rule.has_item = wants(prompt, "item");
  return prompt;
}

std::vector<std::string> built_in_judging_prompts() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_judge_client()) {
    if (file.name.ends_with(kEnding)) names.emplace_back(file.name.substr(0, file.name.size() - kEnding.size()));
  }
  return names;
}

JudgingPrompt judging_prompt(const std::string& name_or_path) {
  for (const EmbeddedFile& file : embedded_judge_client()) {
    if (file.name != name_or_path + std::string(kEnding)) continue;
    const std::string origin = "built-in prompt " + name_or_path;
    return parse_judging_prompt(parse_yaml(file.bytes, origin), name_or_path, origin);
  }
  const std::filesystem::path path = name_or_path;
  if (!std::filesystem::exists(path)) {
    std::string known;
    for (const std::string& name : built_in_judging_prompts()) known += (known.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::kNotFound,
                "there is no judging prompt \"" + name_or_path + "\": neither a file nor one of " + known);
  }
  return parse_judging_prompt(read_yaml_file(path), path.stem().string(), path.string());
}

JudgedText judged_text(const JudgeRequest& request) {
  return {request.instruction, request.response, request.reference, request.ended};
}

bool wants_reference(const JudgingPrompt& prompt) { return wants(prompt, "reference"); }

JudgingMessages render_judging_prompt(const JudgingPrompt& prompt, const JudgedText& text) {
  if (text.reference.empty() && wants_reference(prompt)) {
    throw Error(ErrorCode::kBadInput,
                "judging prompt " + prompt.name + " compares with a reference answer, and this item has none");
  }
  const std::string item = item_code(text);
  std::vector<std::string> markers = common_markers();
  for (const std::string& shown : {prompt.system, prompt.user}) {
    for (std::string& marker : section_markers(shown)) markers.push_back(std::move(marker));
  }
  // What the training template sees as a delimiter is one here as well.
  const auto harmless = [&](const std::string& shown) { return break_markers(neutralise_delimiters(shown), markers); };
  const Values values = {{"instruction", harmless(text.instruction)},
                         {"response", harmless(text.response)},
                         {"reference", harmless(text.reference)},
                         {"item", item}};
  return {fill(prompt.system, values), fill(prompt.user, values), prompt.rule.has_item ? item : ""};
}

std::string item_code(const JudgedText& text) {
  return sha256_hex(Json::array({text.instruction, text.response}).dump(-1, ' ', false, Json::error_handler_t::replace))
      .substr(0, 8);
}

std::string judging_prompt_version(const JudgingPrompt& prompt) {
  const Json content = Json::array(
      {prompt.system, prompt.user, prompt.rule.parser, prompt.rule.threshold, prompt.max_tokens, prompt.schema});
  return prompt.name + "/" + sha256_hex(content.dump()).substr(0, 12);
}

}  // namespace cutd
