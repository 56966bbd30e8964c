// What an LLM is asked about a response, as data: two texts with places for instruction and response, and how its
// reply is read. Built-in ones lie in schemas/judging; an operator's own is a YAML file of the same keys.
//
//   const JudgingPrompt prompt = judging_prompt("cut-fig8");           // or "my-prompt.yaml"
//   const JudgingMessages ask = render_judging_prompt(prompt, {"Name a fruit.", "Apple.", ""});
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "judge_client/judge.h"
#include "judge_client/verdict.h"

namespace cutd {

struct JudgingPrompt {
  std::string name;    // of the built-in one, or of the file without its ending
  std::string system;  // empty: no system message
  std::string user;    // with {{instruction}} and {{response}}; {{reference}} and {{item}} where it wants them
  VerdictRule rule;    // how the reply becomes a verdict
  std::int64_t max_tokens = 512;  // of the reply
  Json schema;                    // null: free text; else the JSON schema that is sent with the request
};

// What is judged. `item` identifies it in the reply and is made by item_code().
struct JudgedText {
  std::string instruction;
  std::string response;
  std::string reference;  // empty: none is known
  bool ended = true;      // of the response: by itself, not cut at the token limit; only webhooks are told
};

// What a request shows of itself.
JudgedText judged_text(const JudgeRequest& request);

struct JudgingMessages {
  std::string system;
  std::string user;
  std::string item;  // what {{item}} became
};

// A name of a built-in prompt, or the path of a YAML file. Error(kUsage) or (kNotFound) naming it and the key: unknown
// keys and placeholders, a missing {{response}}, a parser that wants a schema without one.
JudgingPrompt judging_prompt(const std::string& name_or_path);
JudgingPrompt parse_judging_prompt(const Json& value, const std::string& name, const std::string& origin);
std::vector<std::string> built_in_judging_prompts();

// Whether it shows a reference answer, which every item must then have.
bool wants_reference(const JudgingPrompt& prompt);

// Pure. Delimiters inside the judged texts are neutralised (dataset/prompt_template.h): they cannot close their
// section. Error(kBadInput) when the prompt wants a reference and there is none.
JudgingMessages render_judging_prompt(const JudgingPrompt& prompt, const JudgedText& text);

// Eight hex digits of the SHA-256 of instruction and response: tells items apart, says nothing about them.
std::string item_code(const JudgedText& text);

// Name and twelve hex digits of everything that decides what is asked and how the reply is read: part of the
// annotator's version, and so of each judgment.
std::string judging_prompt_version(const JudgingPrompt& prompt);

}  // namespace cutd
