#include "pairwise/evaluator.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/blanks.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/options.h"
#include "core/yaml.h"
#include "evaluation/output_order.h"
#include "pairwise/ranking.h"

namespace cutd {
namespace {

constexpr std::string_view kStart = "<|im_start|>";
constexpr std::string_view kEnd = "<|im_end|>";
constexpr std::int64_t kTokensAroundMessage = 16;

struct EvaluatorFile {
  PairwiseEvaluator evaluator;
  std::string prompt_file;
};

void declare(OptionTable& table, EvaluatorFile& file) {
  PairwiseEvaluator& config = file.evaluator;
  table.add("prompt", &config.prompt, "ChatML text with {instruction}, {output_1} and {output_2}");
  table.add("prompt_file", &file.prompt_file, "a file with it, relative to this one");
  table.add("api", &config.api, "wire format", one_of({"openai", "anthropic"}));
  table.add("base_url", &config.base_url, "where the API is");
  table.add("model", &config.model, "the judging model");
  table.add("accepted_models", &config.accepted_models, "other names that replies may bear; \"*\": any");
  table.add("api_key_name", &config.api_key_name, "name of the credential; empty: no key is sent");
  table.add("max_tokens", &config.max_tokens, "of a reply", at_least(1));
  table.add("temperature", &config.temperature, "negative: not sent", in_range(-1, 2));
  table.add("top_logprobs", &config.top_logprobs, "alternatives of the first token", at_least(0));
  table.add("parser", &config.parser, "how a reply is read", one_of({"ranking", "logprob"}));
  table.add("first_token", &config.first_token, "parser logprob: the output shown first is better");
  table.add("second_token", &config.second_token, "parser logprob: the output shown second is better");
  table.add("price.input", &config.input_price, "dollars per million input tokens", in_range(0, 1e6));
  table.add("price.output", &config.output_price, "dollars per million output tokens", in_range(0, 1e6));
  table.add("seed", &config.seed, "of the order of the outputs", at_least(0));
}

// As AlpacaEval's prompt_to_chatml: "<|im_start|>role\ncontent<|im_end|>", contents stripped.
std::vector<ChatMessage> cut_into_messages(const std::string& prompt, const std::string& origin) {
  std::vector<ChatMessage> messages;
  std::size_t at = prompt.find(kStart);
  while (at != std::string::npos) {
    at += kStart.size();
    const std::size_t line = prompt.find('\n', at);
    const std::size_t end = prompt.find(kEnd, at);
    if (line == std::string::npos || end == std::string::npos || end < line)
      throw Error(ErrorCode::kUsage, origin +
                                         ": key \"prompt\": a message must be <|im_start|>role, a line feed, the "
                                         "text and <|im_end|>");
    const std::string_view text = prompt;
    messages.push_back({std::string(trim_blanks(text.substr(at, line - at))),
                        std::string(trim_blanks(text.substr(line, end - line)))});
    at = prompt.find(kStart, end);
  }
  if (messages.empty()) throw Error(ErrorCode::kUsage, origin + ": key \"prompt\" holds no <|im_start|> message");
  return messages;
}

std::string filled_in(const std::string& text, const OutputPair& shown) {
  const std::pair<std::string_view, const std::string*> values[] = {
      {"{instruction}", &shown.instruction}, {"{output_1}", &shown.output_1}, {"{output_2}", &shown.output_2}};
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto found = std::find_if(std::begin(values), std::end(values), [&](const auto& value) {
      return text.compare(at, value.first.size(), value.first) == 0;
    });
    if (found == std::end(values)) {
      result += text[at++];
      continue;
    }
    result += *found->second;
    at += found->first.size();
  }
  return result;
}

void check(const PairwiseEvaluator& evaluator, const std::string& origin) {
  const auto refuse = [&](const std::string& why) { throw Error(ErrorCode::kUsage, origin + ": " + why); };
  if (evaluator.model.empty()) refuse("key \"model\" is missing");
  if (evaluator.prompt.empty()) refuse("key \"prompt\" or \"prompt_file\" is missing");
  cut_into_messages(evaluator.prompt, origin);
  for (const char* placeholder : {"{instruction}", "{output_1}", "{output_2}"}) {
    const std::size_t first = evaluator.prompt.find(placeholder);
    if (first == std::string::npos || evaluator.prompt.find(placeholder, first + 1) != std::string::npos)
      refuse(std::string("key \"prompt\" must hold ") + placeholder + " exactly once");
  }
  if (evaluator.parser == "logprob" && evaluator.top_logprobs == 0)
    refuse("parser logprob needs top_logprobs of at least 2");
  if (evaluator.parser == "logprob" && evaluator.api != "openai")
    refuse("parser logprob needs an OpenAI-compatible API: the other one gives no log-probabilities");
}

PairwiseEvaluator parse(const std::string& yaml, const std::string& name, const std::string& origin,
                        const std::function<std::string(const std::string&)>& read) {
  EvaluatorFile file;
  OptionTable table;
  declare(table, file);
  table.load(parse_yaml(yaml, origin), origin);
  if (!file.prompt_file.empty()) {
    if (!file.evaluator.prompt.empty())
      throw Error(ErrorCode::kUsage, origin + ": \"prompt\" and \"prompt_file\" exclude each other");
    file.evaluator.prompt = read(file.prompt_file);
  }
  file.evaluator.name = name;
  check(file.evaluator, origin);
  return file.evaluator;
}

std::string embedded_text(const std::string& name) {
  for (const EmbeddedFile& file : embedded_pairwise()) {
    if (file.name == name) return std::string(file.bytes);
  }
  throw Error(ErrorCode::kNotFound, "there is no built-in file " + name);
}

}  // namespace

std::vector<std::string> built_in_evaluators() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_pairwise()) {
    if (file.name.ends_with(".yaml")) names.emplace_back(file.name.substr(0, file.name.size() - 5));
  }
  return names;
}

bool is_evaluator_file(const std::string& name_or_path) {
  return name_or_path.find('/') != std::string::npos || std::filesystem::path(name_or_path).extension() == ".yaml";
}

PairwiseEvaluator read_evaluator(const std::string& name_or_path) {
  const std::filesystem::path path = name_or_path;
  if (is_evaluator_file(name_or_path)) {
    return parse(read_file(path), path.stem().string(), name_or_path,
                 [&](const std::string& prompt) { return read_file(path.parent_path() / prompt); });
  }
  const std::vector<std::string> names = built_in_evaluators();
  if (std::find(names.begin(), names.end(), name_or_path) == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::kUsage,
                "there is no evaluator \"" + name_or_path + "\": built in are " + known + "; or name a .yaml file");
  }
  return parse(embedded_text(name_or_path + ".yaml"), name_or_path, name_or_path + ".yaml", embedded_text);
}

std::string evaluator_version(const PairwiseEvaluator& evaluator) {
  const Json asked = Json::array({evaluator.api, evaluator.model, evaluator.accepted_models, evaluator.prompt,
                                  evaluator.max_tokens, evaluator.temperature, evaluator.top_logprobs, evaluator.parser,
                                  evaluator.first_token, evaluator.second_token, evaluator.seed});
  return sha256_hex(asked.dump()).substr(0, 12);
}

ChatRequest pairwise_chat(const PairwiseEvaluator& evaluator, const OutputPair& pair) {
  OutputPair shown = pair;
  if (shows_second_output_first(pair.instruction, evaluator.seed)) std::swap(shown.output_1, shown.output_2);
  ChatRequest chat;
  chat.model = evaluator.model;
  chat.accepted_models = evaluator.accepted_models;
  chat.max_tokens = evaluator.max_tokens;
  if (evaluator.temperature >= 0) chat.temperature = evaluator.temperature;
  chat.top_logprobs = static_cast<int>(evaluator.top_logprobs);
  for (ChatMessage& message : cut_into_messages(evaluator.prompt, evaluator.name))
    chat.messages.push_back({message.role, filled_in(message.content, shown)});
  return chat;
}

PairVerdict parse_pair_reply(const PairwiseEvaluator& evaluator, const OutputPair& pair, const ChatReply& reply) {
  PairVerdict verdict = evaluator.parser == "ranking"
                            ? read_ranking(reply)
                            : read_weights(reply, evaluator.first_token, evaluator.second_token);
  if (verdict.preference && shows_second_output_first(pair.instruction, evaluator.seed))
    verdict.preference = 3 - *verdict.preference;
  return verdict;
}

std::int64_t pair_cost(const PairwiseEvaluator& evaluator, const ChatUsage& usage) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(usage.input_tokens) * evaluator.input_price +
                                             static_cast<double>(usage.output_tokens) * evaluator.output_price));
}

std::int64_t most_pair_cost(const PairwiseEvaluator& evaluator, const ChatRequest& request) {
  ChatUsage most{0, request.max_tokens};
  for (const ChatMessage& message : request.messages)
    most.input_tokens += static_cast<std::int64_t>(message.content.size()) + kTokensAroundMessage;
  return pair_cost(evaluator, most);
}

}  // namespace cutd
