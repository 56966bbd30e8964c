#include "judge_client/llm_annotator.h"

#include <filesystem>

#include "core/error.h"
#include "core/hash.h"
#include "judge_client/webhook_judge.h"
#include "llm_api/url.h"

namespace cutd {
namespace {

Json prompt_json(const JudgingPrompt& prompt) {
  Json json = {{"name", prompt.name},
               {"system", prompt.system},
               {"user", prompt.user},
               {"parser", prompt.rule.parser},
               {"threshold", prompt.rule.threshold},
               {"max_tokens", prompt.max_tokens}};
  if (!prompt.schema.is_null()) json["schema"] = prompt.schema;
  return json;
}

using Refusal = std::function<void(const char* key, const char* why)>;

void check_url(const LlmAnnotator& config, const Refusal& refuse) {
  try {
    checked_url(config.base_url, {config.allow_http}, AddressGuard(config.allow_private));
  } catch (const Error& error) {
    refuse("base_url", error.what());
  }
  // Not a check of the option itself, whose refusal would show the password.
  if (const std::string defect = proxy_defect(config.proxy); !defect.empty()) refuse("proxy", defect.c_str());
}

// What costs nothing has no price, no key that pays and no caps to keep.
void check_webhook(const LlmAnnotator& config, const Refusal& refuse) {
  if (config.base_url.empty()) refuse("base_url", "is missing: the URL that is posted to");
  check_url(config, refuse);
  if (!config.model.empty()) refuse("model", "a webhook is sent none: leave it out");
  if (!config.prompt.empty() && config.prompt != LlmAnnotator().prompt)
    refuse("prompt", "a webhook is sent the texts and no prompt: leave it out");
  if (!config.price.is_free()) refuse("price", "a webhook's tokens are not counted, so that nothing can be charged");
  if (config.max_tpm > 0) refuse("max_tpm", "a webhook's tokens are not counted: max_rpm limits its requests");
}

void check_engine(const LlmAnnotator& config, const Refusal& refuse) {
  if (config.model.empty()) refuse("model", "is missing: a Hugging Face folder, or an imported model's name");
  if (!config.base_url.empty()) refuse("base_url", "the engine is no server: leave it out, or say another api");
  if (!config.api_key_name.empty()) refuse("api_key_name", "the engine needs no key: leave it out");
  if (!config.price.is_free()) refuse("price", "the engine is yours: it costs nothing");
}

void check_paid(const LlmAnnotator& config, const Refusal& refuse) {
  if (config.base_url.empty()) refuse("base_url", "is missing");
  check_url(config, refuse);
  if (config.model.empty()) refuse("model", "is missing");
  if (config.price.is_free()) return;
  const DollarCaps& caps = config.caps;
  if (caps.request <= 0) refuse("caps.request", "a paid annotator needs all caps: request, round, day and total");
  if (caps.round <= 0) refuse("caps.round", "a paid annotator needs all caps: request, round, day and total");
  if (caps.day <= 0) refuse("caps.day", "a paid annotator needs all caps: request, round, day and total");
  if (caps.total <= 0) refuse("caps.total", "a paid annotator needs all caps: request, round, day and total");
}

std::string check_amount(const double& amount) {
  return amount >= 0 && amount < 1e9 ? "" : "must be an amount of dollars";
}

// Longer than the SDKs' own ten minutes nobody should wait for one judgment: what it costs is bound for so long.
std::string check_timeout(const std::int64_t& milliseconds) {
  return milliseconds >= 1'000 && milliseconds <= 600'000 ? "" : "must be 1000 to 600000 (ten minutes)";
}

}  // namespace

JudgingPrompt prompt_of(const LlmAnnotator& config, const std::string& origin) {
  if (config.api == "webhook") return webhook_prompt();
  if (config.prompt.starts_with("{")) {
    Json text = parse_json(config.prompt, origin);
    const std::string name = text.value("name", "own");
    text.erase("name");
    return parse_judging_prompt(text, name, origin);
  }
  const std::string& name = config.prompt;
  if (name.find('/') != std::string::npos && !std::filesystem::path(name).is_absolute()) {
    throw Error(ErrorCode::kUsage, origin + ": \"" + name + "\" must be a built-in prompt's name or an absolute path");
  }
  return judging_prompt(name);
}

void declare_llm_options(OptionTable& table, LlmAnnotator& config, const std::string& prefix) {
  const auto key = [&](const char* name) { return prefix + "." + name; };
  const auto amount = std::function<std::string(const double&)>(check_amount);
  table.add(key("api"), &config.api,
            "whom it asks: openai (and compatible servers), anthropic, webhook (a program of yours) or engine (a model "
            "folder)",
            one_of({"openai", "anthropic", "webhook", "engine"}));
  table.add(key("base_url"), &config.base_url,
            "where the API is, such as https://api.openai.com/v1; of a webhook the URL that is posted to");
  table.add(key("model"), &config.model,
            "the judging model's name; api engine: a Hugging Face folder or an imported model's name");
  table.add(key("model_hash"), &config.model_hash, "api engine: what its files must hash to; set when a run starts");
  table.add(key("dtype"), &config.dtype, "api engine: of the weights, float32 or bfloat16",
            one_of({"float32", "bfloat16"}));
  table.add(key("device"), &config.device, "api engine: auto, cpu or cuda:N");
  table.add(key("accepted_models"), &config.accepted_models, "other names that its replies may bear; \"*\": any");
  table.add(key("api_key_name"), &config.api_key_name, "name of the credential that holds the key; empty: none");
  table.add(key("prompt"), &config.prompt, "a built-in judging prompt, or the absolute path of one");
  table.add(key("temperature"), &config.temperature, "of the judging model; negative: not sent");
  table.add(key("max_completion_tokens"), &config.max_completion_tokens,
            "send max_completion_tokens instead of max_tokens");
  table.add(key("price.input"), &config.price.input, "dollars per million input tokens", amount);
  table.add(key("price.cached_input"), &config.price.cached_input,
            "of those read from the provider's cache; negative: as input");
  table.add(key("price.output"), &config.price.output, "dollars per million output tokens", amount);
  table.add(key("caps.request"), &config.caps.request, "most dollars of one request", amount);
  table.add(key("caps.round"), &config.caps.round, "most dollars of one round or evaluation", amount);
  table.add(key("caps.day"), &config.caps.day, "most dollars a day (UTC)", amount);
  table.add(key("caps.total"), &config.caps.total, "most dollars ever", amount);
  table.add(key("max_rpm"), &config.max_rpm, "requests a minute; 0: no limit", in_range(0, 1e9));
  table.add(key("max_tpm"), &config.max_tpm, "tokens a minute; 0: no limit", in_range(0, 1e12));
  table.add(key("max_in_flight"), &config.max_in_flight, "most requests at once", at_least(1));
  table.add<std::int64_t>(key("timeout_ms"), &config.timeout_ms, "of one request, from when it is sent; at most 600000",
                          check_timeout);
  table.add(key("unreachable_minutes"), &config.unreachable_minutes,
            "no such host, nobody listening or no TLS for so long pauses the run; 0: never", in_range(0, 1e6));
  table.add(key("allow_http"), &config.allow_http, "permit unencrypted http:// (a server on this machine)");
  table.add(key("allow_private"), &config.allow_private, "private address ranges that may be connected to");
  table.add(key("ca_file"), &config.ca_file, "certificates to trust instead of the system's");
  table.add(key("proxy"), &config.proxy, "http://host:port that requests go through; empty: none");
  table.add(key("on_unknown"), &config.on_unknown,
            "an answer was lost and may be charged: hold it for people, or resend",
            one_of({"hold", "resend", "reconcile"}));
  table.add(key("max_unknown_resends"), &config.max_unknown_resends, "most such resends a day", at_least(0));
  table.add(key("batch.max_requests"), &config.batch.max_requests, "kind batch: most requests of one", at_least(1));
  table.add(key("batch.poll_seconds"), &config.batch.poll_seconds, "kind batch: between two looks at open ones",
            at_least(0));
  table.add(key("batch.gather_seconds"), &config.batch.gather_seconds,
            "kind batch: how long a first request waits for company", at_least(0));
  table.add(key("batch.appears_seconds"), &config.batch.appears_seconds,
            "kind batch: one that the provider does not list so long after was never created", at_least(0));
  table.add(key("batch.price_factor"), &config.batch.price_factor, "kind batch: of the single requests' price",
            in_range(0, 1));
  table.add(key("max_unusable_retries"), &config.max_unusable_retries,
            "how often an item is asked about again whose answer is no judgment; each answer is paid", at_least(0));
}

void settle_llm_annotator(LlmAnnotator& config, const std::string& origin) {
  const Refusal refuse = [&](const char* key, const char* why) {
    throw Error(ErrorCode::kUsage, origin + ": llm." + key + ": " + why);
  };
  if (config.api == "webhook") {
    check_webhook(config, refuse);
    config.prompt.clear();
    return;
  }
  if (config.api == "engine") check_engine(config, refuse);
  else check_paid(config, refuse);
  config.prompt = to_json_text(prompt_json(prompt_of(config, origin + ": llm.prompt")));
}

std::string llm_annotator_version(const LlmAnnotator& config) {
  const std::string prompt = judging_prompt_version(prompt_of(config, "llm.prompt"));
  const auto version = [&](const std::string& name, const Json& asked) {
    return "llm/" + (name.empty() ? "" : name + "/") + prompt + "/" + sha256_hex(asked.dump()).substr(0, 12);
  };
  if (config.api == "webhook") return version("", Json::array({config.api, config.base_url, prompt}));
  if (config.api == "engine") {
    const std::string name = std::filesystem::path(config.model).filename().string();
    const std::string& identity = config.model_hash.empty() ? config.model : config.model_hash;
    return version(name, Json::array({config.api, identity, config.dtype, prompt}));
  }
  return version(config.model, Json::array({config.api, config.base_url, config.model, config.accepted_models,
                                            config.temperature, prompt}));
}

}  // namespace cutd
