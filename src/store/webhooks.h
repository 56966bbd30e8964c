// Who is told about what, and every message to them until it was taken or given up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "store/browse.h"
#include "store/store.h"

namespace cutd {

// "round.finished", "round.paused", "round.failed", "queue.needs_people", "budget.reached".
bool is_webhook_event(const std::string& name);

struct Webhook {
  std::int64_t id = 0;
  std::string url;
  std::vector<std::string> events;
  std::int64_t created_at = 0;
  std::int64_t waiting = 0;  // deliveries
  std::int64_t dead = 0;
};

struct Delivery {
  std::int64_t id = 0;
  std::int64_t webhook = 0;
  std::string url;
  std::string event;
  std::string state;  // waiting | delivered | dead
  Json payload;
  std::int64_t attempts = 0;
  std::optional<std::int64_t> status;
  std::optional<std::string> failure;
  std::optional<std::int64_t> next_attempt_at;
  std::int64_t created_at = 0;
};

std::int64_t add_webhook(Writer& writer, const std::string& url, const std::vector<std::string>& events);
// Its waiting deliveries die with it. Error(kNotFound).
void remove_webhook(Writer& writer, std::int64_t id);
std::vector<Webhook> list_webhooks(Reader& reader);  // by id, without removed ones

// A delivery to every webhook that wants `event`; for the same `subject` once, however often it is called.
void announce(Writer& writer, const std::string& event, const std::string& subject, const Json& payload);
// Announces what rounds did since it was last called.
void announce_round_events(Writer& writer);
bool has_unannounced_events(Reader& reader);

// Waiting ones whose time has come, oldest first. A time further off than `longest_wait` (the clock was set back)
// counts as come.
std::vector<Delivery> due_deliveries(Reader& reader, std::int64_t now, std::int64_t longest_wait, std::int64_t limit);
void settle_delivered(Writer& writer, std::int64_t id, std::int64_t status);
// `next_attempt_at` none: given up.
void settle_undelivered(Writer& writer, std::int64_t id, std::optional<std::int64_t> status, const std::string& failure,
                        std::optional<std::int64_t> next_attempt_at);

// Newest first; Error(kNotFound) for an unknown webhook.
std::vector<Delivery> browse_deliveries(Reader& reader, std::int64_t webhook, const std::optional<std::string>& state,
                                        const PageQuery& page);
// dead -> waiting, at once. Error(kNotFound), kConflict when it is not dead.
void retry_delivery(Writer& writer, std::int64_t id);

}  // namespace cutd
