#include <algorithm>

#include "core/error.h"
#include "round/people.h"
#include "server/change_once.h"
#include "server/page_arguments.h"
#include "server/queue_exchange.h"
#include "server/queue_routes.h"
#include "server/views.h"
#include "store/queue_work.h"
#include "store/rounds.h"

namespace cutd {
namespace {

constexpr std::int64_t kClosedShown = 50;
void add_to(QueueCounts& sum, const QueueCounts& counts) {
  sum.open += counts.open;
  sum.leased += counts.leased;
  sum.submitted += counts.submitted;
  sum.needed += counts.needed;
  sum.surplus += counts.surplus;
  sum.overdue += counts.overdue;
  sum.needs_review += counts.needs_review;
}

Json queue_view(const QueueContext& context, Reader& reader, const Queue& queue, const QueueCounts& counts) {
  const QueueAgreement agreement = context.agreement->of(reader, queue, counts);
  return {{"round", id_or_null(queue.round)},
          {"evaluation", id_or_null(queue.evaluation)},
          {"annotator", queue.annotator.value},
          {"state", queue.state},
          {"overlap", queue.settings.overlap},
          {"counts", queue_counts_view(counts)},
          {"alpha", agreement.alpha ? Json(*agreement.alpha) : Json()},
          {"low_agreement", agreement.low()}};
}

Reply list_rounds_of_queue(const QueueContext& context, const Request&) {
  const std::int64_t now = context.clock.boot_millis();
  return context.store.read([&](Reader& reader) {
    Json rounds = Json::array();
    QueueCounts sum;
    for (const Queue& queue : list_recent_queues(reader, kClosedShown)) {
      const QueueCounts counts = count_queue(reader, queue.id, now);
      if (queue.state != "closed") add_to(sum, counts);
      rounds.push_back(queue_view(context, reader, queue, counts));
    }
    return json_reply({{"rounds", std::move(rounds)}, {"counts", queue_counts_view(sum)}});
  });
}

Queue queue_of_round(Reader& reader, RoundId round) {
  const std::vector<Queue> queues = list_queues(reader, round);
  if (queues.empty())
    throw Error(ErrorCode::kNotFound, "round " + std::to_string(round.value) + " has no queue: it waits for nobody");
  return queues.front();
}

Reply close_round(const QueueContext& context, const Request& request) {
  const auto round = path_id<RoundId>(request);
  const std::int64_t now = context.clock.boot_millis();
  return change_once(context.store, request, [&](Writer& writer) {
    queue_of_round(writer, round);
    for (const Queue& queue : list_queues(writer, round)) close_queue(writer, queue.id, now);
    const Queue queue = queue_of_round(writer, round);
    return json_reply(queue_view(context, writer, queue, count_queue(writer, queue.id, now)));
  });
}

Json person_view(const QueuePerson& person) {
  return {{"user", person.user.value},
          {"name", person.name},
          {"submitted", person.submitted},
          {"skipped", person.skipped},
          {"draft", person.draft},
          {"leased", person.leased},
          {"surplus", person.surplus},
          {"gold_seen", person.gold_seen},
          {"gold_right", person.gold_right},
          {"blocked", person.blocked},
          {"median_seconds", person.median_seconds ? Json(*person.median_seconds) : Json()},
          {"last_at", person.last_at > 0 ? Json(format_utc(person.last_at)) : Json()}};
}

Reply people(const QueueContext& context, const Request& request) {
  const auto round = query_id<RoundId>(request, "round");
  Json list = Json::array();
  for (const QueuePerson& person : context.store.read([&](Reader& reader) { return list_queue_people(reader, round); }))
    list.push_back(person_view(person));
  return json_reply({{"people", std::move(list)}});
}

Reply unblock(const QueueContext& context, const Request& request) {
  return change_once(context.store, request, [&](Writer& writer) {
    unblock_person(writer, path_id<UserId>(request));
    return json_reply(Json::object());
  });
}

Json review_view(const QueueTask& task) {
  Json reasons = Json::array({task.review});
  for (const TaskWork& work : task.work)
    if (work.state == "skipped") reasons.push_back(work.person + ": " + work.skip_reason);
  return {{"item", task.item},
          {"round", task.round.value > 0 ? Json(task.round.value) : Json()},
          {"response", task.response.value},
          {"reasons", std::move(reasons)}};
}

Reply review(const QueueContext& context, const Request& request) {
  const auto round = query_id<RoundId>(request, "round");
  const std::int64_t limit = query_integer(request, "limit", 50, 1, 200);
  const TaskId after{query_integer(request, "cursor", 0, 0, INT64_MAX)};
  auto tasks = context.store.read([&](Reader& reader) { return list_review(reader, round, after, limit + 1); });
  Json next;
  if (static_cast<std::int64_t>(tasks.size()) > limit) {
    tasks.pop_back();
    next = std::to_string(tasks.back().id.value);
  }
  Json items = Json::array();
  for (const QueueTask& task : tasks) items.push_back(review_view(task));
  return json_reply({{"items", std::move(items)}, {"next", std::move(next)}});
}

Reply settle_one(const QueueContext& context, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"label", "text"});
  Submission submission;
  submission.label = from_name<JudgmentLabel>(json_get<std::string>(body, "label", kRequestBody));
  submission.text = checked_judgment_text(submission.label == JudgmentLabel::kPositive,
                                          json_get<std::string>(body, "text", kRequestBody));
  const std::string by = request.principal && request.principal->user
                             ? "user " + std::to_string(request.principal->user->value)
                             : std::string("operator");
  return change_once(context.store, request, [&](Writer& writer) {
    settle_review(writer, request.captures.at("item"), submission, by);
    return json_reply(Json::object());
  });
}

Reply reopen_one(const QueueContext& context, const Request& request) {
  return change_once(context.store, request, [&](Writer& writer) {
    reopen_review(writer, request.captures.at("item"));
    return json_reply(Json::object());
  });
}

std::string query_text(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) throw Error(ErrorCode::kBadInput, "query parameter \"" + name + "\" is missing");
  return found->second;
}

Reply export_round(const QueueContext& context, const Request& request) {
  const std::string format = query_text(request, "format");
  require_exchange_format(format);
  const auto round = query_id<RoundId>(request, "round");
  if (!round) throw Error(ErrorCode::kBadInput, "query parameter \"round\" is missing");
  const std::vector<QueueTask> tasks =
      context.store.read([&](Reader& reader) { return list_queue_tasks(reader, queue_of_round(reader, *round).id); });
  return json_reply(export_tasks(tasks, format));
}

Reply import_round(const QueueContext& context, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"format", "round", "records"});
  const Json records = json_get<Json>(body, "records", kRequestBody);
  if (records.is_array() && records.size() > 10000)
    throw Error(ErrorCode::kBadInput, "request body: at most 10000 records at once");
  const auto work = import_records(records, json_get<std::string>(body, "format", kRequestBody));
  const RoundId round{json_get<std::int64_t>(body, "round", kRequestBody)};
  return change_once(context.store, request, [&](Writer& writer) {
    const ImportedCounts counts = import_work(writer, queue_of_round(writer, round).id, work);
    return json_reply({{"added", counts.added}, {"known", counts.known}, {"unmatched", counts.unmatched}});
  });
}

}  // namespace

Json queue_counts_view(const QueueCounts& counts) {
  return {{"open", counts.open},
          {"leased", counts.leased},
          {"submitted", counts.submitted},
          {"needed", counts.needed},
          {"surplus", counts.surplus},
          {"overdue", counts.overdue},
          {"needs_review", counts.needs_review}};
}

QueueCounts counts_at_work(Reader& reader, std::int64_t now_ms) {
  QueueCounts sum;
  for (const Queue& queue : list_queues_at_work(reader)) add_to(sum, count_queue(reader, queue.id, now_ms));
  return sum;
}

void add_queue_operator_routes(Router& router, const QueueContext& context) {
  const auto add = [&](const char* method, const char* path, Access access,
                       Reply (*handler)(const QueueContext&, const Request&)) {
    router.add(method, path, access, [context, handler](const Request& request) { return handler(context, request); });
  };
  const auto change = [&](const char* method, const char* path, Access access,
                          Reply (*handler)(const QueueContext&, const Request&)) {
    router.add_once(method, path, access,
                    [context, handler](const Request& request) { return handler(context, request); });
  };
  add("GET", "/api/v1/queue/people", Access::kOperator, people);
  change("POST", "/api/v1/queue/people/{id}/unblock", Access::kOperator, unblock);
  add("GET", "/api/v1/queue/rounds", Access::kViewer, list_rounds_of_queue);
  change("POST", "/api/v1/queue/rounds/{id}/close", Access::kOperator, close_round);
  add("GET", "/api/v1/queue/review", Access::kOperator, review);
  change("POST", "/api/v1/queue/review/{item}/settle", Access::kOperator, settle_one);
  change("POST", "/api/v1/queue/review/{item}/reopen", Access::kOperator, reopen_one);
  add("GET", "/api/v1/queue/export", Access::kOperator, export_round);
  change("POST", "/api/v1/queue/import", Access::kOperator, import_round);
}

}  // namespace cutd
