#include "server/webhook_routes.h"

#include "core/clock.h"
#include "server/page_arguments.h"

namespace cutd {
namespace {

using WebhookId = Id<struct WebhookNoun>;
using DeliveryId = Id<struct DeliveryNoun>;

Json webhook_view(const Webhook& webhook) {
  return {{"id", webhook.id},           {"url", webhook.url},
          {"events", webhook.events},   {"created_at", format_utc(webhook.created_at)},
          {"waiting", webhook.waiting}, {"dead", webhook.dead}};
}

Json delivery_view(const Delivery& delivery) {
  return {{"id", delivery.id},
          {"webhook", delivery.webhook},
          {"event", delivery.event},
          {"state", delivery.state},
          {"attempts", delivery.attempts},
          {"status", delivery.status ? Json(*delivery.status) : Json()},
          {"failure", delivery.failure ? Json(*delivery.failure) : Json()},
          {"next_attempt_at", delivery.next_attempt_at ? Json(format_utc(*delivery.next_attempt_at)) : Json()},
          {"created_at", format_utc(delivery.created_at)},
          {"payload", delivery.payload}};
}

Json webhook_list(Reader& reader) {
  Json list = Json::array();
  for (const Webhook& webhook : list_webhooks(reader)) list.push_back(webhook_view(webhook));
  return list;
}

Reply add(Store& store, const WebhookSenderOptions& options, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"url", "events"});
  const std::string url = checked_webhook_url(json_get<std::string>(body, "url", kRequestBody), options);
  const auto events = json_get<std::vector<std::string>>(body, "events", kRequestBody);
  if (events.empty() || events.size() > 8) {
    throw Error(ErrorCode::kBadInput, "request body: \"events\" names 1 to 8 events");
  }
  for (const std::string& event : events) {
    if (!is_webhook_event(event))
      throw Error(ErrorCode::kBadInput, "request body: there is no event \"" + event + "\"");
  }
  static_cast<void>(options.secret());  // throws where deliveries could not be signed
  const Json view = store.write([&](Writer& writer) {
    const std::int64_t id = add_webhook(writer, url, events);
    return webhook_view({id, url, events, writer.now(), 0, 0});
  });
  return json_reply(view, 201);
}

Reply deliveries(const Store& store, const Request& request) {
  const PageQuery page = query_page(request);
  const auto id = path_id<WebhookId>(request);
  std::optional<std::string> state;
  if (const auto found = request.query.find("state"); found != request.query.end()) state = found->second;
  if (state && *state != "waiting" && *state != "delivered" && *state != "dead") {
    throw Error(ErrorCode::kBadInput, "query parameter \"state\" is waiting, delivered or dead");
  }
  auto rows = store.read([&](Reader& reader) { return browse_deliveries(reader, id.value, state, page); });
  const Json next = next_of(rows, page, [](const Delivery& row) { return std::to_string(row.id); });
  Json list = Json::array();
  for (const Delivery& row : rows) list.push_back(delivery_view(row));
  return json_reply({{"deliveries", std::move(list)}, {"next", next}});
}

}  // namespace

void add_webhook_routes(Router& router, Store& store, const WebhookSenderOptions& options) {
  router.add("GET", "/api/v1/webhooks", Access::kOperator, [&store](const Request&) {
    return json_reply({{"webhooks", store.read(webhook_list)}});
  });
  router.add("POST", "/api/v1/webhooks", Access::kOperator,
             [&store, options](const Request& request) { return add(store, options, request); });
  router.add("DELETE", "/api/v1/webhooks/{id}", Access::kOperator, [&store](const Request& request) {
    store.write([&](Writer& writer) { remove_webhook(writer, path_id<WebhookId>(request).value); });
    return empty_reply();
  });
  router.add("GET", "/api/v1/webhooks/{id}/deliveries", Access::kOperator,
             [&store](const Request& request) { return deliveries(store, request); });
  router.add("POST", "/api/v1/deliveries/{id}/retry", Access::kOperator, [&store](const Request& request) {
    store.write([&](Writer& writer) { retry_delivery(writer, path_id<DeliveryId>(request).value); });
    return json_reply(Json::object());
  });
}

}  // namespace cutd
