// A pairwise evaluator is data: a prompt, a model behind an API, a parser. AlpacaEval's two are built in
// (schemas/evaluators); own ones are YAML files of the same keys.
//
//   const PairwiseEvaluator evaluator = read_evaluator("alpaca_eval_gpt4");
//   ChatRequest chat = pairwise_chat(evaluator, {instruction, output_1, output_2});
//   PairVerdict verdict = parse_pair_reply(evaluator, pair, reply);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "evaluation/win_rate.h"
#include "llm_api/chat.h"

namespace cutd {

struct PairwiseEvaluator {
  std::string name;            // "alpaca_eval_gpt4", or the file's name without ".yaml"
  std::string prompt;          // ChatML (<|im_start|>role … <|im_end|>) with {instruction}, {output_1} and {output_2}
  std::string api = "openai";  // openai (and every compatible server) | anthropic
  std::string base_url = "https://api.openai.com/v1";
  std::string model;
  std::vector<std::string> accepted_models;     // other names that replies may bear; "*": any
  std::string api_key_name = "OPENAI_API_KEY";  // name of the credential; empty: no key is sent
  std::int64_t max_tokens = 100;
  double temperature = 0;         // negative: not sent
  std::int64_t top_logprobs = 0;  // parser logprob needs some
  std::string parser = "ranking";
  std::string first_token = "m";   // parser logprob: says that the output shown first is better
  std::string second_token = "M";  //                  … the one shown second
  double input_price = 0;          // dollars per million tokens
  double output_price = 0;
  std::int64_t seed = 0;  // of the order in which the outputs are shown
};

// A built-in one by name, or a YAML file (a name that ends in ".yaml" or has a '/'). Error(kUsage, kNotFound) naming
// file and key, or the built-in names.
PairwiseEvaluator read_evaluator(const std::string& name_or_path);
bool is_evaluator_file(const std::string& name_or_path);
std::vector<std::string> built_in_evaluators();

// 12 hex digits over everything that decides what is asked and how it is read: not the price, the key or the address.
std::string evaluator_version(const PairwiseEvaluator& evaluator);

struct OutputPair {
  std::string instruction;
  std::string output_1;  // the reference's
  std::string output_2;  // the model's
};

// The request, with the outputs in AlpacaEval's order (evaluation/output_order.h). Texts are put in after the prompt
// was cut into messages, so that neither "<|im_end|>" nor "{output_2}" in them has an effect; for all other texts the
// messages are AlpacaEval's, byte for byte.
ChatRequest pairwise_chat(const PairwiseEvaluator& evaluator, const OutputPair& pair);

struct PairVerdict {
  Preference preference;  // already turned back: 1 the reference, 2 the model
  std::string reason;     // why there is none
};

// `ranking`: the text is a Python literal, a list of {'model', 'rank'}; the rank of model_1, 1 or 2. `logprob`: the
// first token's distribution, 2 - P(first) / (P(first) + P(second)); a reply that ends at its token limit is what is
// asked for there, while a ranking must have ended by itself. Everything else has no preference: missing, not a draw.
PairVerdict parse_pair_reply(const PairwiseEvaluator& evaluator, const OutputPair& pair, const ChatReply& reply);

// Micro-dollars, rounded up: of a reply, and the most that a request can cost (a token is at least a byte of text).
std::int64_t pair_cost(const PairwiseEvaluator& evaluator, const ChatUsage& usage);
std::int64_t most_pair_cost(const PairwiseEvaluator& evaluator, const ChatRequest& request);

}  // namespace cutd
