#include "engine/rpc.h"

namespace cutd {
namespace {

constexpr const char* kOrigin = "engine protocol";

// Codes of the JSON-RPC specification where they fit; -32000 is "implementation-defined server error".
int rpc_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return -32602;
    case ErrorCode::kInternal: return -32603;
    default: return -32000;
  }
}

Json envelope() { return Json{{"jsonrpc", "2.0"}}; }

std::string line_of(const Json& message) { return to_json_text(message) + "\n"; }

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::kBadInput, std::string(kOrigin) + ": " + why);
}

RpcFailure parse_failure(const Json& message) {
  const Json& error = message.at("error");
  if (!error.is_object()) refuse("\"error\" is not an object");
  RpcFailure failure;
  if (!message.at("id").is_null()) failure.id = json_get<std::int64_t>(message, "id", kOrigin);
  failure.message = json_get<std::string>(error, "message", kOrigin);
  const Json data = error.value("data", Json::object());
  failure.code = error_code_from_name(json_get_or<std::string>(data, "code", "internal", kOrigin));
  return failure;
}

}  // namespace

RpcMessage parse_rpc(std::string_view line) {
  const Json message = parse_json(line, kOrigin);
  if (!message.is_object() || message.value("jsonrpc", Json()) != "2.0") refuse("not a JSON-RPC 2.0 message");
  if (message.contains("method")) {
    const auto method = json_get<std::string>(message, "method", kOrigin);
    Json params = message.value("params", Json::object());
    if (!params.is_object()) refuse("\"params\" of \"" + method + "\" is not an object");
    if (!message.contains("id")) return RpcNotification{method, std::move(params)};
    return RpcRequest{json_get<std::int64_t>(message, "id", kOrigin), method, std::move(params)};
  }
  if (!message.contains("id")) refuse("a message with neither method nor id");
  if (message.contains("error")) return parse_failure(message);
  if (!message.contains("result")) refuse("a reply with neither result nor error");
  return RpcReply{json_get<std::int64_t>(message, "id", kOrigin), message.at("result")};
}

std::string encode_rpc(const RpcRequest& request) {
  Json message = envelope();
  message["id"] = request.id;
  message["method"] = request.method;
  message["params"] = request.params;
  return line_of(message);
}

std::string encode_rpc(const RpcReply& reply) {
  Json message = envelope();
  message["id"] = reply.id;
  message["result"] = reply.result;
  return line_of(message);
}

std::string encode_rpc(const RpcFailure& failure) {
  Json message = envelope();
  message["id"] = failure.id ? Json(*failure.id) : Json();
  message["error"] = {{"code", rpc_code(failure.code)},
                      {"message", failure.message},
                      {"data", {{"code", error_code_name(failure.code)}}}};
  return line_of(message);
}

std::string encode_rpc(const RpcNotification& notification) {
  Json message = envelope();
  message["method"] = notification.method;
  message["params"] = notification.params;
  return line_of(message);
}

}  // namespace cutd
