#include "support/fake_llm/fake_api.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "support/fake_llm/fake_batches.h"

namespace cutd {
namespace {

std::uint64_t luck_of(const std::string& text) { return std::stoull(sha256_hex(text).substr(0, 15), nullptr, 16); }

std::int64_t words(const Json& value) {
  const std::string text = value.dump();
  return 1 + static_cast<std::int64_t>(std::count(text.begin(), text.end(), ' '));
}

// Some paths are those of both APIs; Anthropic's clients then still name a version.
bool is_anthropic(const FakeRequest& request) {
  return request.path.find("/messages") != std::string::npos || request.headers.contains("anthropic-version");
}
bool is_webhook(const FakeRequest& request) { return request.path.find("/webhook") != std::string::npos; }

FakeReply json_reply(int status, const Json& body) {
  FakeReply reply;
  reply.status = status;
  reply.body = to_json_text(body);
  reply.charged = status == 200;
  return reply;
}

// The types that the APIs give to a status where the script names none.
std::string error_type(const FakeRequest& request, int status) {
  const bool anthropic = is_anthropic(request);
  switch (status) {
    case 401: return anthropic ? "authentication_error" : "invalid_request_error";
    case 402: return anthropic ? "billing_error" : "invalid_request_error";
    case 403: return anthropic ? "permission_error" : "invalid_request_error";
    case 404: return anthropic ? "not_found_error" : "invalid_request_error";
    case 413: return anthropic ? "request_too_large" : "invalid_request_error";
    case 429: return anthropic ? "rate_limit_error" : "requests";
    case 529: return anthropic ? "overloaded_error" : "server_error";
    default: break;
  }
  if (status >= 500) return anthropic ? "api_error" : "server_error";
  return "invalid_request_error";
}

FakeReply error_reply(const FakeRequest& request, int status, const Json& error) {
  const auto text = [&](const char* key, const std::string& otherwise) {
    return json_get_or<std::string>(error, key, otherwise, "error");
  };
  const std::string message = text("message", "the double was told to say no");
  const std::string type = text("type", error_type(request, status));
  Json body = is_anthropic(request)
                  ? fake_anthropic_error(message, type, fake_request_id(request))
                  : fake_openai_error(message, type, text("code", status == 429 ? "rate_limit_exceeded" : ""));
  if (error.is_object() && error.contains("details")) body["error"]["details"] = error["details"];
  return json_reply(status, body);
}

Json model_view(const std::string& name, bool anthropic) {
  if (anthropic)
    return {{"type", "model"},
            {"id", name},
            {"display_name", name},
            {"created_at", "2025-11-24T00:00:00Z"},
            {"lifecycle", "active"}};
  return {{"id", name}, {"object", "model"}, {"created", 1764000000}, {"owned_by", "double"}};
}

FakeReply models_reply(const FakeRequest& request, const std::vector<std::string>& names) {
  const bool anthropic = is_anthropic(request);
  Json data = Json::array();
  for (const std::string& name : names) data.push_back(model_view(name, anthropic));
  Json body = {{"object", "list"}, {"data", data}};
  if (anthropic) {
    body = {{"data", data},
            {"has_more", false},
            {"first_id", names.empty() ? Json() : Json(names.front())},
            {"last_id", names.empty() ? Json() : Json(names.back())}};
  }
  FakeReply reply = json_reply(200, body);
  reply.charged = false;
  return reply;
}

Json judgment_by_schema(const Json& schema, bool perfect, const std::string& critique, bool wrong_item) {
  Json object = Json::object();
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [name, property] : properties.items()) {
    if (property.contains("const")) object[name] = wrong_item ? Json("another item") : property["const"];
    else if (property.value("type", "") == "string") object[name] = critique;
    else if (property.value("type", "") == "boolean") object[name] = perfect;
    else if (property.contains("enum")) object[name] = property["enum"][perfect ? property["enum"].size() - 1 : 0];
    else object[name] = perfect ? property.value("maximum", 10) : property.value("minimum", 1);
  }
  return object;
}

// Anthropic's API knows only some of JSON Schema's words and refuses a schema that has others.
void refuse_unknown_words(const Json& schema) {
  static constexpr const char* kUnknown[] = {"minimum",    "maximum",   "exclusiveMinimum", "exclusiveMaximum",
                                             "multipleOf", "minLength", "maxLength",        "maxItems"};
  for (const char* word : kUnknown) {
    if (schema.contains(word))
      throw Error(ErrorCode::kBadInput, std::string("output_config.format.schema: '") + word + "' is not supported");
  }
  for (const Json& property : schema.value("properties", Json::object())) refuse_unknown_words(property);
}

struct FakeVerdict {
  bool perfect = false;
  std::string critique;
};

FakeVerdict verdict_on(const std::string& body, bool wrong_item) {
  const std::uint64_t luck = luck_of(body + (wrong_item ? " another" : ""));
  static constexpr const char* kCritiques[] = {"The response repeats itself and leaves the question open.",
                                               "The second sentence is wrong: the order of the steps is reversed.",
                                               "The response begins with small talk instead of an answer.",
                                               "The response ends in the middle of a sentence."};
  const bool perfect = luck % 4 == 0;
  return {perfect, perfect ? "Perfect." : kCritiques[luck / 4 % 4]};
}

std::string judgment(const std::string& body, bool wrong_item) {
  const auto [perfect, critique] = verdict_on(body, wrong_item);
  const Json request = parse_json(body, "request");
  Json format;  // what holds the schema: OpenAI's or Anthropic's
  if (request.contains("response_format")) format = request["response_format"].value("json_schema", Json::object());
  else if (request.contains("output_config")) format = request["output_config"].value("format", Json::object());
  if (format.is_null()) return critique;
  if (request.contains("output_config")) refuse_unknown_words(format.value("schema", Json::object()));
  return to_json_text(judgment_by_schema(format.value("schema", Json::object()), perfect, critique, wrong_item));
}

class ScriptedApi {
 public:
  explicit ScriptedApi(Json script)
      : script_(std::move(script)),
        batches_(std::make_shared<FakeBatches>(
            [](const Json& params, bool anthropic) {
              const std::string text = fake_judgment(to_json_text(params));
              return anthropic ? fake_anthropic_reply(params, text) : fake_openai_reply(params, text);
            },
            FakeBatchOptions{script_.value("batch_polls", 1), script_.value("batch_expire_every", 0),
                             script_.value("batch_results_url", "")})) {}

  FakeReply answer(const FakeRequest& request) const {
    const Json fault = fault_for(request);
    FakeReply reply = refuses(request, fault);
    if (reply.body.empty()) {
      const std::optional<FakeReply> about_batch = batches_->answer(request);
      reply = about_batch ? *about_batch : json_reply(200, chat(request, fault));
    }
    reply.headers.emplace_back(is_anthropic(request) ? "request-id" : "x-request-id", fake_request_id(request));
    disturb(reply, request, fault);
    reply.delay_ms += json_get_or<std::int64_t>(script_, "latency_ms", 0, "script");
    return reply;
  }

 private:
  // Empty: none applies.
  Json fault_for(const FakeRequest& request) const {
    const Json faults = script_.value("faults", Json::array());
    for (std::size_t i = 0; i < faults.size(); ++i) {
      if (applies(faults[i], i, request)) return faults[i];
    }
    return Json::object();
  }

  bool applies(const Json& fault, std::size_t index, const FakeRequest& request) const {
    if (fault.contains("tries") && request.try_number > fault["tries"].get<std::int64_t>()) return false;
    if (fault.contains("path") && request.path.find(fault["path"].get<std::string>()) == std::string::npos)
      return false;
    if (fault.contains("every") && request.number % fault["every"].get<std::int64_t>() != 0) return false;
    if (fault.contains("at")) {
      const auto at = fault["at"].get<std::vector<std::int64_t>>();
      if (std::find(at.begin(), at.end(), request.number) == at.end()) return false;
    }
    if (!fault.contains("share")) return true;
    const std::string key = std::to_string(script_.value("seed", 1)) + "/" + std::to_string(index) + "/" +
                            std::to_string(request.try_number) + "/" + request.logical_id;
    return static_cast<double>(luck_of(key) % 1'000'000) < fault["share"].get<double>() * 1e6;
  }

  // An empty body: no refusal.
  FakeReply refuses(const FakeRequest& request, const Json& fault) const {
    if (fault.contains("status"))
      return error_reply(request, fault["status"].get<int>(), fault.value("error", Json::object()));
    const auto header = [&](const char* name) {
      const auto at = request.headers.find(name);
      return at == request.headers.end() ? "" : at->second;
    };
    const std::string key = script_.value("api_key", "");
    // Anthropic's own clients have sent the key in either header.
    const bool bearer = !is_anthropic(request) || header("x-api-key").empty();
    const std::string given = bearer ? header("authorization") : header("x-api-key");
    if (!key.empty() && given != (bearer ? "Bearer " + key : key)) {
      return error_reply(request, 401,
                         {{"message", "Incorrect API key provided: " + given}, {"code", "invalid_api_key"}});
    }
    const bool about_batch =
        request.path.find("/batches") != std::string::npos || request.path.find("/files") != std::string::npos;
    if (about_batch) return {};
    const std::string model = is_webhook(request) ? "" : script_.value("model", "");
    const bool lists_models = request.method == "GET" && request.path.starts_with("/v1/models");
    if (lists_models && (script_.contains("models") || !model.empty()))
      return models_reply(request, script_.value("models", std::vector<std::string>{model}));
    if (request.method != "POST") return error_reply(request, 404, {{"message", "no such path"}});
    if (!model.empty() && parse_json(request.body, "request").value("model", "") != model)
      return error_reply(request, 404, {{"message", "The model does not exist"}, {"code", "model_not_found"}});
    return {};
  }

  Json chat(const FakeRequest& request, const Json& fault) const {
    const Json asked = parse_json(request.body, "request");
    if (is_webhook(request)) return about_webhook(request, asked, fault);
    const Json text =
        script_.contains("text") ? script_["text"] : Json(judgment(request.body, fault.contains("wrong_item")));
    Json reply = is_anthropic(request) ? fake_anthropic_reply(asked, text, fault.value("finish", "end_turn"))
                                       : fake_openai_reply(asked, text, fault.value("finish", "stop"));
    if (fault.contains("usage")) reply["usage"] = fault["usage"];
    if (script_.contains("logprobs") && asked.value("logprobs", false)) reply["choices"][0]["logprobs"] = logprobs();
    return reply;
  }

  Json about_webhook(const FakeRequest& request, const Json& asked, const Json& fault) const {
    FakeVerdict verdict = verdict_on(request.body, fault.contains("wrong_item"));
    if (script_.contains("text")) verdict = {false, script_["text"].get<std::string>()};
    Json reply = fake_webhook_reply(asked, verdict.perfect, verdict.critique);
    if (fault.contains("wrong_item")) reply["item"] = "00000000";
    return reply;
  }

  Json logprobs() const {
    Json top = Json::array();
    for (const auto& [token, value] : script_["logprobs"].items())
      top.push_back({{"token", token}, {"logprob", value}, {"bytes", nullptr}});
    Json first = top.at(0);
    first["top_logprobs"] = top;
    return {{"content", Json::array({first})}, {"refusal", nullptr}};
  }

  static void disturb(FakeReply& reply, const FakeRequest& request, const Json& fault) {
    if (fault.contains("html")) {
      reply.content_type = "text/html";
      reply.body = "<!doctype html><html><body><h1>Perfect. Our service is being improved</h1></body></html>";
    }
    if (fault.contains("redirect")) {
      reply.status = fault.value("redirect_status", 307);
      reply.headers.emplace_back("Location", fault["redirect"].get<std::string>() + request.path);
      reply.charged = false;
    }
    const Json headers = fault.value("headers", Json::object());
    for (const auto& [name, value] : headers.items()) reply.headers.emplace_back(name, value.get<std::string>());
    reply.gzip = fault.value("gzip", false);
    if (fault.value("chunked", false)) reply.framing = Framing::kChunked;
    reply.drop = fault.value("drop", false);
    reply.never = fault.value("never", false);
    reply.delay_ms = fault.value("delay_ms", 0);
    reply.drip_ms = fault.value("drip_ms", 0);
    if (fault.contains("cut"))
      reply.cut_at =
          static_cast<std::size_t>(static_cast<double>(fake_wire(reply).size()) * fault["cut"].get<double>());
  }

  const Json script_;
  const std::shared_ptr<FakeBatches> batches_;  // of the server's one thread
};

}  // namespace

Json fake_openai_reply(const Json& request, const Json& text, const std::string& finish) {
  const std::int64_t in = words(request.value("messages", Json::array()));
  const std::int64_t out = words(text);
  const Json message = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
  const Json choice = {{"index", 0}, {"message", message}, {"logprobs", nullptr}, {"finish_reason", finish}};
  return {{"id", "chatcmpl-" + sha256_hex(request.dump()).substr(0, 12)},
          {"object", "chat.completion"},
          {"created", 1764000000},
          {"model", request.value("model", "")},
          {"choices", Json::array({choice})},
          {"usage", {{"prompt_tokens", in}, {"completion_tokens", out}, {"total_tokens", in + out}}}};
}

Json fake_anthropic_reply(const Json& request, const Json& text, const std::string& stop_reason) {
  const Json usage = {{"input_tokens", words(request.value("messages", Json::array()))},
                      {"output_tokens", words(text)},
                      {"cache_creation_input_tokens", 0},
                      {"cache_read_input_tokens", 0}};
  return {{"id", "msg_" + sha256_hex(request.dump()).substr(0, 12)},
          {"type", "message"},
          {"role", "assistant"},
          {"model", request.value("model", "")},
          {"content", Json::array({{{"type", "text"}, {"text", text}}})},
          {"stop_reason", stop_reason},
          {"stop_sequence", nullptr},
          {"usage", usage}};
}

Json fake_webhook_reply(const Json& request, bool perfect, const std::string& critique) {
  return {{"item", request.at("item")}, {"perfect", perfect}, {"critique", critique}};
}

Json fake_openai_error(const std::string& message, const std::string& type, const std::string& code) {
  return {{"error",
           {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code.empty() ? Json() : Json(code)}}}};
}

Json fake_anthropic_error(const std::string& message, const std::string& type, const std::string& request_id) {
  return {{"type", "error"}, {"error", {{"type", type}, {"message", message}}}, {"request_id", request_id}};
}

std::string fake_request_id(const FakeRequest& request) { return "req_" + std::to_string(request.number); }

std::string fake_judgment(const std::string& body) { return judgment(body, false); }

FakeHandler scripted_api(const Json& script) {
  check_script(script);
  return [api = ScriptedApi(script)](const FakeRequest& request) {
    try {
      return api.answer(request);
    } catch (const std::exception& error) {
      return error_reply(request, 400, {{"message", error.what()}, {"type", "invalid_request_error"}});
    }
  };
}

void check_script(const Json& script) {
  static const std::vector<std::string> keys = {"model",
                                                "models",
                                                "api_key",
                                                "latency_ms",
                                                "text",
                                                "logprobs",
                                                "faults",
                                                "seed",
                                                "batch_polls",
                                                "batch_expire_every",
                                                "batch_results_url"};
  static const std::vector<std::string> fault_keys = {
      "share",   "every",  "at",   "tries",      "path",     "status",  "error",    "headers",         "cut",
      "drop",    "never",  "html", "wrong_item", "delay_ms", "drip_ms", "redirect", "redirect_status", "gzip",
      "chunked", "finish", "usage"};
  const auto check = [](const Json& object, const std::vector<std::string>& known) {
    if (!object.is_object())
      throw Error(ErrorCode::kBadInput, "the script: an object is wanted in place of " + object.dump());
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        throw Error(ErrorCode::kBadInput, "the script: unknown key \"" + key + "\"");
    }
  };
  check(script, keys);
  for (const Json& fault : script.value("faults", Json::array())) check(fault, fault_keys);
}

}  // namespace cutd
