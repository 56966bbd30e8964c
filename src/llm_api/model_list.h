// The models that an API says it serves, for telling a person which one was meant.
#pragma once

#include <string>
#include <vector>

#include "llm_api/http_client.h"
#include "llm_api/wire_format.h"

namespace cutd {

// The ids of a reply to GET /v1/models; those that are no text are left out. Empty for another shape.
std::vector<std::string> read_model_list(const HttpReply& reply);

// Asks, for at most ten seconds. Empty where it cannot be had: this is advice, and no reason to fail.
std::vector<std::string> fetch_model_list(const ChatEndpoint& endpoint, HttpClientOptions http);

// "it serves no model "gpt4o"; nearest of the 12 that it serves: gpt-4o, gpt-4.1", or "" where `model` is served or
// nothing is known.
std::string advice_on_model(const std::string& model, const std::vector<std::string>& served);

}  // namespace cutd
