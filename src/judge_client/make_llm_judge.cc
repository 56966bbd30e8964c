#include "judge_client/make_llm_judge.h"

#include <cmath>

#include "core/error.h"
#include "judge_client/batch_judge.h"

namespace cutd {
namespace {

WireFormat wire_format_of(const std::string& api) {
  if (api == "openai") return WireFormat::kOpenAi;
  if (api == "anthropic") return WireFormat::kAnthropic;
  if (api == "webhook") return WireFormat::kWebhook;
  throw Error(ErrorCode::kInternal, "api " + api + " is not asked over HTTP");
}

}  // namespace

LlmJudgeOptions llm_judge_options(const LlmAnnotator& config, const std::string& key) {
  LlmJudgeOptions options;
  options.client.endpoint = {wire_format_of(config.api), config.base_url, key};
  options.client.http.max_in_flight = static_cast<std::size_t>(config.max_in_flight);
  options.client.http.total_ms = config.timeout_ms;
  options.client.http.first_byte_ms = config.timeout_ms;  // not streamed: the first byte comes when all is done
  options.client.http.allow_http = config.allow_http;
  options.client.http.allow_private = config.allow_private;
  options.client.http.ca_file = config.ca_file;
  options.client.http.proxy = config.proxy;
  options.client.rate.max_rpm = config.max_rpm;
  options.client.rate.max_tpm = config.max_tpm;
  constexpr double kMinuteMs = 60'000;
  options.client.unreachable_ms = std::llround(config.unreachable_minutes * kMinuteMs);
  options.prompt = prompt_of(config, "llm.prompt");
  options.model = config.model;
  options.accepted_models = config.accepted_models;
  if (config.temperature >= 0) options.temperature = config.temperature;
  options.price = config.price;
  options.max_unusable_retries = config.max_unusable_retries;
  options.legacy_max_tokens = !config.max_completion_tokens;
  return options;
}

std::unique_ptr<Judge> make_llm_judge(const LlmAnnotator& config, const std::string& key, const Clock& clock,
                                      bool batch) {
  if (batch) {
    BatchOptions options;
    options.max_requests = config.batch.max_requests;
    options.poll_ms = config.batch.poll_seconds * 1000;
    options.gather_ms = config.batch.gather_seconds * 1000;
    options.appears_ms = config.batch.appears_seconds * 1000;
    options.price_factor = config.batch.price_factor;
    return std::make_unique<BatchJudge>(llm_judge_options(config, key), options, clock);
  }
  return std::make_unique<LlmJudge>(llm_judge_options(config, key), clock);
}

}  // namespace cutd
