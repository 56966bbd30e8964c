// The part of an annotator's configuration that says which model judges, over which API, at what price, within which
// limits. Frozen with the run, its prompt's text included; the key is looked up by name when the judge is made.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "judge_client/judging_prompt.h"
#include "judge_client/price.h"

namespace cutd {

// Dollars. All four are mandatory where tokens have a price.
// To the nearest; the ledger counts in millionths of a dollar.
inline std::int64_t micros_of(double dollars) { return std::llround(dollars * 1e6); }

struct DollarCaps {
  double request = 0;
  double round = 0;  // one round, or one evaluation
  double day = 0;    // UTC
  double total = 0;
};

// Of kind batch.
struct BatchSettings {
  std::int64_t max_requests = 10'000;
  std::int64_t poll_seconds = 60;
  std::int64_t gather_seconds = 60;
  std::int64_t appears_seconds = 300;
  double price_factor = 0.5;
};

struct LlmAnnotator {
  std::string api = "openai";  // openai (and everything compatible) | anthropic | webhook | engine
  std::string base_url;
  std::string model;       // the provider's name of it; engine: a Hugging Face folder, or an imported model's name
  std::string model_hash;  // engine: fingerprint of its files (weights/fingerprint.h), found when a run starts
  std::string dtype = "bfloat16";  // engine: as ModelSpec (engine/engine.h)
  std::string device = "auto";     // engine
  std::vector<std::string> accepted_models;
  std::string api_key_name;         // of a credential (core/credentials.h); empty: no key is sent
  std::string prompt = "cut-fig8";  // name of a built-in one or absolute path of a file; once settled, its text as JSON
  double temperature = 0;           // negative: not sent
  bool max_completion_tokens = false;
  TokenPrice price;
  DollarCaps caps;
  double max_rpm = 0;
  double max_tpm = 0;
  std::int64_t max_in_flight = 256;
  std::int64_t timeout_ms = 180'000;
  double unreachable_minutes = 30;  // nobody was reached for so long: the run pauses; 0: it never does
  bool allow_http = false;
  std::vector<std::string> allow_private;
  std::string ca_file;
  std::string proxy;                // "http://host:port"; empty: none, whatever the environment says
  std::string on_unknown = "hold";  // hold: to people; resend: at most max_unknown_resends a day; reconcile
  std::int64_t max_unknown_resends = 64;
  BatchSettings batch;
  std::int64_t max_unusable_retries = 2;  // of one item: answers that came, were paid and are no judgment
};

void declare_llm_options(OptionTable& table, LlmAnnotator& config, const std::string& prefix);

// What no single key can check; reads the prompt, so that `prompt` becomes its text (of a webhook, which is sent none:
// empty). Error(kUsage) naming `origin`.
void settle_llm_annotator(LlmAnnotator& config, const std::string& origin);

// "llm/gpt-4o/cut-fig8/1a2b3c4d5e6f/<hash>": everything that decides what is asked and of whom; not price, caps or
// limits. Of an engine's model the fingerprint counts, not its path.
std::string llm_annotator_version(const LlmAnnotator& config);

// The prompt that `prompt` stands for. Error naming `origin`.
JudgingPrompt prompt_of(const LlmAnnotator& config, const std::string& origin);

}  // namespace cutd
