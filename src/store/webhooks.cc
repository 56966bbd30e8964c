#include "store/webhooks.h"

#include <algorithm>
#include <array>

#include "core/clock.h"
#include "store/rows.h"

namespace cutd {
namespace {

constexpr std::array<const char*, 5> kEvents = {"round.finished", "round.paused", "round.failed", "queue.needs_people",
                                                "budget.reached"};
constexpr std::int64_t kEventsAtOnce = 200;

constexpr const char* kDeliveryColumns =
    "SELECT delivery.id, webhook_id, webhook.url, event, state, payload, attempts, status, failure, next_attempt_at, "
    "delivery.created_at FROM delivery JOIN webhook ON webhook.id = webhook_id WHERE ";

std::string delivery_query(const char* rest) { return std::string(kDeliveryColumns) + rest; }

Delivery delivery_of(Statement& row) {
  Delivery delivery;
  delivery.id = row.integer(0);
  delivery.webhook = row.integer(1);
  delivery.url = row.text(2);
  delivery.event = row.text(3);
  delivery.state = row.text(4);
  delivery.payload = store_rows::json(row, 5);
  delivery.attempts = row.integer(6);
  delivery.status = row.optional_integer(7);
  delivery.failure = row.optional_text(8);
  delivery.next_attempt_at = row.optional_integer(9);
  delivery.created_at = row.integer(10);
  return delivery;
}

struct RoundNews {
  std::int64_t event_id = 0;
  std::string phase;
  std::string why;
  Json payload;
};

RoundNews news_of(Statement& row) {
  RoundNews news;
  news.event_id = row.integer(0);
  news.phase = row.text(1);
  news.why = row.text(2);
  news.payload = {{"at", format_utc(row.integer(3))},
                  {"why", news.why},
                  {"round",
                   {{"id", row.integer(4)},
                    {"run", row.integer(5)},
                    {"number", row.integer(6)},
                    {"phase", news.phase},
                    {"outcome", row.is_null(7) ? Json() : Json(row.text(7))}}}};
  return news;
}

std::vector<std::string> events_of(const RoundNews& news) {
  if (news.phase == "completed") return {"round.finished"};
  if (news.phase == "failed") return {"round.failed"};
  if (news.phase != "paused") return {};
  // Why a round pauses begins with its reason's word (docs/operations.md).
  if (news.why.starts_with("budget")) return {"round.paused", "budget.reached"};
  if (news.why.starts_with("people")) return {"round.paused", "queue.needs_people"};
  return {"round.paused"};
}

}  // namespace

bool is_webhook_event(const std::string& name) {
  return std::find(kEvents.begin(), kEvents.end(), name) != kEvents.end();
}

std::int64_t add_webhook(Writer& writer, const std::string& url, const std::vector<std::string>& events) {
  writer.database().run("INSERT INTO webhook (url, events, created_at) VALUES (?, ?, ?)", url,
                        store_rows::text_of(Json(events)), writer.now());
  return writer.database().last_row_id();
}

void remove_webhook(Writer& writer, std::int64_t id) {
  const std::int64_t changed =
      writer.database().run("UPDATE webhook SET removed_at = ? WHERE id = ? AND removed_at IS NULL", writer.now(), id);
  if (changed != 1) throw Error(ErrorCode::kNotFound, "there is no webhook " + std::to_string(id));
  writer.database().run(
      "UPDATE delivery SET state = 'dead', next_attempt_at = NULL, failure = 'the webhook was removed' "
      "WHERE webhook_id = ? AND state = 'waiting'",
      id);
}

std::vector<Webhook> list_webhooks(Reader& reader) {
  return reader.database().all(
      "SELECT id, url, events, created_at, (SELECT count(*) FROM delivery WHERE webhook_id = webhook.id "
      "AND state = 'waiting'), (SELECT count(*) FROM delivery WHERE webhook_id = webhook.id AND state = 'dead') "
      "FROM webhook WHERE removed_at IS NULL ORDER BY id",
      [](Statement& row) {
        return Webhook{row.integer(0), row.text(1),    store_rows::json(row, 2).get<std::vector<std::string>>(),
                       row.integer(3), row.integer(4), row.integer(5)};
      });
}

void announce(Writer& writer, const std::string& event, const std::string& subject, const Json& payload) {
  Json whole = {{"event", event}};
  whole.update(payload);
  writer.database().run(
      "INSERT INTO delivery (webhook_id, event, subject, payload, state, next_attempt_at, created_at) "
      "SELECT id, ?1, ?2, ?3, 'waiting', ?4, ?4 FROM webhook WHERE removed_at IS NULL "
      "AND EXISTS (SELECT 1 FROM json_each(webhook.events) WHERE value = ?1) ON CONFLICT DO NOTHING",
      event, subject, store_rows::text_of(whole), writer.now());
}

void announce_round_events(Writer& writer) {
  const std::vector<RoundNews> all = writer.database().all(
      "SELECT round_event.id, to_phase, why, at, round.id, round.run_id, round.number, round.outcome FROM round_event "
      "JOIN round ON round.id = round_id WHERE round_event.id > (SELECT round_event_id FROM webhook_cursor) "
      "ORDER BY round_event.id LIMIT ?",
      news_of, kEventsAtOnce);
  if (all.empty()) return;
  for (const RoundNews& news : all) {
    for (const std::string& event : events_of(news)) {
      announce(writer, event, "round_event/" + std::to_string(news.event_id), news.payload);
    }
  }
  writer.database().run("UPDATE webhook_cursor SET round_event_id = ?", all.back().event_id);
}

bool has_unannounced_events(Reader& reader) {
  return reader.database().integer(
             "SELECT coalesce((SELECT max(id) FROM round_event), 0) > (SELECT round_event_id FROM webhook_cursor)") !=
         0;
}

std::vector<Delivery> due_deliveries(Reader& reader, std::int64_t now, std::int64_t longest_wait, std::int64_t limit) {
  return reader.database().all(
      delivery_query("state = 'waiting' AND (next_attempt_at <= ?1 OR next_attempt_at > ?1 + ?2) "
                     "ORDER BY next_attempt_at, delivery.id LIMIT ?3"),
      delivery_of, now, longest_wait, limit);
}

void settle_delivered(Writer& writer, std::int64_t id, std::int64_t status) {
  writer.database().run(
      "UPDATE delivery SET state = 'delivered', attempts = attempts + 1, status = ?, failure = NULL, "
      "next_attempt_at = NULL WHERE id = ? AND state = 'waiting'",
      status, id);
}

void settle_undelivered(Writer& writer, std::int64_t id, std::optional<std::int64_t> status, const std::string& failure,
                        std::optional<std::int64_t> next_attempt_at) {
  writer.database().run(
      "UPDATE delivery SET state = iif(?1 IS NULL, 'dead', 'waiting'), attempts = attempts + 1, status = ?2, "
      "failure = ?3, next_attempt_at = ?1 WHERE id = ?4 AND state = 'waiting'",
      next_attempt_at, status, failure, id);
}

std::vector<Delivery> browse_deliveries(Reader& reader, std::int64_t webhook, const std::optional<std::string>& state,
                                        const PageQuery& page) {
  if (!reader.database().first(
          "SELECT id FROM webhook WHERE id = ?", [](Statement& row) { return row.integer(0); }, webhook)) {
    throw Error(ErrorCode::kNotFound, "there is no webhook " + std::to_string(webhook));
  }
  return reader.database().all(delivery_query("webhook_id = ?1 AND delivery.id < ?2 AND (?3 IS NULL OR state = ?3) "
                                              "ORDER BY delivery.id DESC LIMIT ?4"),
                               delivery_of, webhook, page.before, state, page.limit);
}

void retry_delivery(Writer& writer, std::int64_t id) {
  const auto state = writer.database().first(
      "SELECT state FROM delivery WHERE id = ?", [](Statement& row) { return row.text(0); }, id);
  if (!state) throw Error(ErrorCode::kNotFound, "there is no delivery " + std::to_string(id));
  const std::int64_t changed = writer.database().run(
      "UPDATE delivery SET state = 'waiting', attempts = 0, next_attempt_at = ? WHERE id = ? AND state = 'dead' "
      "AND (SELECT removed_at FROM webhook WHERE webhook.id = webhook_id) IS NULL",
      writer.now(), id);
  store_rows::require_one(changed, "delivery " + std::to_string(id) + " is " + *state + ", or its webhook was removed");
}

}  // namespace cutd
