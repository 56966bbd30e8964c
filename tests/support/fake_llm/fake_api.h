// The double's manners: OpenAI- and Anthropic-shaped answers to chat requests, answers of a judge behind a webhook
// (paths that hold "/webhook"), and faults by script.
//
// A script is a JSON object; every key is optional:
//   "model"       the only model it knows (others: 404, and the only one that GET /v1/models lists); any without it
//   "models"      what GET /v1/models lists instead; without "model" and "models" there is no such path
//   "api_key"     others get 401
//   "latency_ms"  before each reply
//   "text"        what it always says; without it a judgment that depends on the request's body alone
//   "logprobs"    {"token": logprob, ...}: top_logprobs of the first token
//   "faults"      a list; the first that applies to a request is done. When: "share" (0..1, decided by seed, fault and
//                 body, so that order does not matter), "every" (each n-th request), "at" (list of request numbers),
//                 "tries" (only the first so many tries of one logical request), "path" (only paths holding it); what:
//                 "status" + "error" {type, code, message} + "headers", "cut" (fraction of the wire bytes), "drop",
//                 "never", "html", "wrong_item", "delay_ms", "drip_ms", "redirect", "gzip", "chunked", "finish"
//                 (another finish or stop reason), "usage" (in place of the real usage; null: none)
//   "seed"        for "share" (default 1)
//   "batch_polls", "batch_expire_every", "batch_results_url"  fake_batches.h: when a batch ends (default: when first
//                 asked for), which of its requests are never run (default: none), where Anthropic's batches say that
//                 their results are (default: here)
#pragma once

#include "core/json.h"
#include "support/fake_llm/fake_llm_server.h"

namespace cutd {

// What an API of each kind says, before any fault. `text` null: a null content.
Json fake_openai_reply(const Json& request, const Json& text, const std::string& finish = "stop");
Json fake_anthropic_reply(const Json& request, const Json& text, const std::string& stop_reason = "end_turn");
// schemas/json/webhook_judge.json
Json fake_webhook_reply(const Json& request, bool perfect, const std::string& critique);
Json fake_openai_error(const std::string& message, const std::string& type, const std::string& code);
Json fake_anthropic_error(const std::string& message, const std::string& type, const std::string& request_id = "req_1");

// As the request-id headers of a reply have it.
std::string fake_request_id(const FakeRequest& request);

// The judgment that the double gives to a request body: "Perfect." for one in four, else a criticism. Where the request
// asks for a JSON schema, as either API has it, it is an object by that schema: rating, critique, and every property
// with a "const" as given.
std::string fake_judgment(const std::string& body);

FakeHandler scripted_api(const Json& script = Json::object());

// Error(kBadInput) naming a key that no script has.
void check_script(const Json& script);

}  // namespace cutd
