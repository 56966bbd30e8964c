#include "server/event_routes.h"

#include <charconv>

#include "server/page_arguments.h"
#include "server/views.h"

namespace cutd {
namespace {

constexpr std::int64_t kEventsAtOnce = 100;
constexpr int kPollsPerQueueLook = 10;  // queue counts are asked for less often than the rest

// What one stream has sent so far.
struct Position {
  std::int64_t round_event = 0;
  std::uint64_t message = 0;
  std::uint64_t progress = UINT64_MAX;
  Json queue;
  int polls = 0;
};

std::string round_news(const EventContext& context, std::optional<RoundId> round, Position& position) {
  std::string text;
  const auto events = context.store.read(
      [&](Reader& reader) { return events_after(reader, round, position.round_event, kEventsAtOnce); });
  for (const RoundEvent& event : events) {
    position.round_event = event.id;
    text += event_text("round", event_view(event), std::to_string(event.id));
  }
  return text;
}

std::string progress_news(const ProgressBoard& board, Position& position) {
  std::string text;
  for (const ProgressMessage& message : board.messages_after(position.message)) {
    position.message = message.number;
    text += event_text("message", {{"text", message.text}});
  }
  const ProgressSnapshot now = board.snapshot();
  if (now.version != position.progress) text += event_text("progress", progress_json(now));
  position.progress = now.version;
  return text;
}

std::string queue_news(const EventContext& context, Position& position) {
  if (!context.queue || position.polls++ % kPollsPerQueueLook != 0) return "";
  Json counts = context.queue();
  if (counts == position.queue) return "";
  position.queue = std::move(counts);
  return event_text("queue", position.queue);
}

// After what a browser that connects again has seen, or what the query says; else from now on.
std::int64_t start_of(const EventContext& context, const Request& request) {
  const auto last = request.headers.find("last-event-id");
  if (last != request.headers.end()) {
    std::int64_t id = 0;
    const std::string& text = last->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc() && end == text.data() + text.size() && id >= 0) return id;
  }
  if (request.query.contains("after")) return query_integer(request, "after", 0, 0, INT64_MAX);
  return context.store.read([](Reader& reader) { return newest_event(reader); });
}

Reply stream(const EventContext& context, const Request& request) {
  Position position;
  position.round_event = start_of(context, request);
  if (const auto messages = context.progress.messages_after(0); !messages.empty()) {
    position.message = messages.back().number;
  }
  const auto round = query_id<RoundId>(request, "round");
  Reply reply;
  reply.events = [context, round, position, greeted = false]() mutable -> std::optional<std::string> {
    std::string text;
    if (!greeted) text = event_text("hello", {{"last_event", position.round_event}});
    greeted = true;
    text += round_news(context, round, position);
    text += progress_news(context.progress, position);
    return text + queue_news(context, position);
  };
  return reply;
}

}  // namespace

void add_event_routes(Router& router, const EventContext& context) {
  router.add("GET", "/api/v1/events", Access::kViewer,
             [context](const Request& request) { return stream(context, request); });
}

}  // namespace cutd
