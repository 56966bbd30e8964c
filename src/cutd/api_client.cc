#include "cutd/api_client.h"

#include <fmt/format.h>

#include <optional>

#include "cutd/daemon.h"
#include "cutd/socket_client.h"
#include "cutd/version.h"
#include "server/routes.h"

namespace cutd {
namespace {

[[noreturn]] void throw_problem(const Reply& reply) {
  const Json problem = Json::parse(reply.body, nullptr, false);
  const std::string origin = "the daemon's reply";
  if (!problem.is_object()) throw Error(ErrorCode::kInternal, fmt::format("{}: status {}", origin, reply.status));
  throw Error(error_code_from_name(json_get_or<std::string>(problem, "code", "internal", origin)),
              json_get_or<std::string>(problem, "detail", fmt::format("status {}", reply.status), origin));
}

}  // namespace

ApiClient::ApiClient(std::filesystem::path data_dir)
    : data_dir_(std::filesystem::absolute(data_dir).lexically_normal()) {}

bool ApiClient::has_daemon() const { return socket_answers(socket_path(data_dir_)); }

Json ApiClient::get(const std::string& target) { return ask("GET", target, ""); }

Json ApiClient::post(const std::string& target, const Json& body) { return ask("POST", target, to_json_text(body)); }

Json ApiClient::ask(const std::string& method, const std::string& target, const std::string& body) {
  std::optional<Reply> reply = ask_socket(socket_path(data_dir_), method, target, body);
  if (!reply && method == "GET") reply = ask_store(target);
  if (!reply || (reply->status == 404 && store_ && reply->body.find("no such path") != std::string::npos)) {
    throw Error(ErrorCode::kUnavailable, fmt::format("no daemon serves {}; start one with: cutd serve --data-dir {}",
                                                     data_dir_.string(), data_dir_.string()));
  }
  if (reply->status >= 300) throw_problem(*reply);
  return parse_json(reply->body, "the daemon's reply");
}

Reply ApiClient::ask_store(const std::string& target) {
  if (!store_) store_ = std::make_unique<StoreReader>(data_dir_);
  Router router;
  add_version_route(router);
  add_read_routes(router, {[this](const std::function<void(Reader&)>& query) { store_->read(query); }, data_dir_});
  Request request;
  request.method = "GET";
  request.local = true;
  request.principal = Principal{Role::kOperator, std::nullopt, "", 0, false};
  parse_target(target, request);
  return router.handle(std::move(request), logger_);
}

std::string percent_encoded(const std::string& text) {
  std::string result;
  for (const char byte : text) {
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       byte == '-' || byte == '_' || byte == '.' || byte == '~';
    if (plain) result += byte;
    else result += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  }
  return result;
}

}  // namespace cutd
