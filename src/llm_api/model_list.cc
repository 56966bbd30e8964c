#include "llm_api/model_list.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/nearest_names.h"

namespace cutd {
namespace {

constexpr std::int64_t kPatienceMs = 10'000;
constexpr std::size_t kShownModels = 5;

}  // namespace

std::vector<std::string> read_model_list(const HttpReply& reply) {
  std::vector<std::string> names;
  if (reply.status != 200) return names;
  try {
    const Json body = parse_json(reply.body, "the list of models");
    if (!body.is_object() || !body.contains("data") || !body.at("data").is_array()) return names;
    for (const Json& model : body.at("data")) {
      if (model.is_object() && model.contains("id") && model.at("id").is_string())
        names.push_back(model.at("id").get<std::string>());
    }
  } catch (const Error&) {
    // Not JSON: nothing is known.
  }
  return names;
}

std::vector<std::string> fetch_model_list(const ChatEndpoint& endpoint, HttpClientOptions http) {
  if (endpoint.format == WireFormat::kWebhook) return {};
  http.total_ms = http.first_byte_ms = kPatienceMs;
  HttpRequest request = api_request(endpoint, "/models");
  request.post = false;
  std::optional<HttpOutcome> outcome;
  HttpClient client(std::move(http));
  client.submit(std::move(request), [&outcome](HttpOutcome result) { outcome = std::move(result); });
  while (!outcome) client.step(kPatienceMs);
  const auto* reply = std::get_if<HttpReply>(&*outcome);
  return reply == nullptr ? std::vector<std::string>{} : read_model_list(*reply);
}

std::string advice_on_model(const std::string& model, const std::vector<std::string>& served) {
  if (served.empty() || std::find(served.begin(), served.end(), model) != served.end()) return "";
  std::string names;
  for (const std::string& name : nearest_names(model, served, kShownModels))
    names += (names.empty() ? "" : ", ") + name;
  return "it serves no model \"" + model + "\"; nearest of the " + std::to_string(served.size()) +
         " that it serves: " + names;
}

}  // namespace cutd
