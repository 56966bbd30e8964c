#include "server/queue_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/entropy.h"
#include "core/error.h"
#include "round/people.h"
#include "server/change_once.h"
#include "server/route_arguments.h"
#include "store/judgments.h"

namespace cutd {
namespace {

std::int64_t seconds(std::int64_t ms) { return std::max<std::int64_t>(0, ms / 1000); }

Json draft_view(const std::optional<DraftText>& draft) {
  if (!draft) return nullptr;
  return {{"label", draft->label ? Json(name_of(*draft->label)) : Json()},
          {"text", draft->text},
          {"saved_at", format_utc(draft->saved_at)}};
}

Json suggestion_view(const std::optional<Suggestion>& suggestion) {
  if (!suggestion) return nullptr;
  return {{"label", name_of(suggestion->label)}, {"text", suggestion->text}, {"source", suggestion->source}};
}

Json task_view(const LeasedItem& item) {
  return {{"item", item.item},
          {"lease", item.token},
          {"seconds_left", seconds(item.left_ms)},
          {"renew_within_seconds", seconds(item.longest_left_ms)},
          {"instruction", {{"text", item.instruction}, {"input", item.input}}},
          {"response", {{"text", item.response}}},
          {"guideline", item.guideline},
          {"draft", draft_view(item.draft)},
          {"suggestion", suggestion_view(item.suggestion)}};
}

const char* view_name(QueueView view) {
  switch (view) {
    case QueueView::kPending: return "pending";
    case QueueView::kDraft: return "draft";
    case QueueView::kSubmitted: return "submitted";
    default: return "skipped";
  }
}

QueueView view_of(const Request& request) {
  const auto found = request.query.find("view");
  for (const QueueView view : {QueueView::kPending, QueueView::kDraft, QueueView::kSubmitted, QueueView::kSkipped}) {
    if (found != request.query.end() && found->second == view_name(view)) return view;
  }
  throw Error(ErrorCode::kBadInput, "query parameter \"view\" is pending, draft, submitted or skipped");
}

// The lease itself is not in a list: its secret is known to its hash alone, and a claim of the item gives a new one.
Json item_view(const OwnItem& item) {
  Json submitted;
  if (item.submitted) {
    submitted = {{"label", name_of(item.submitted->label)},
                 {"text", item.submitted->text},
                 {"at", format_utc(item.submitted_at)}};
  }
  return {{"item", item.item},
          {"view", view_name(item.view)},
          {"lease", nullptr},
          {"instruction", {{"text", item.instruction}, {"input", item.input}}},
          {"response", {{"text", item.response}}},
          {"guideline", item.guideline},
          {"draft", draft_view(item.draft)},
          {"submitted", std::move(submitted)},
          {"skip_reason", item.view == QueueView::kSkipped ? Json(item.skip_reason) : Json()},
          {"updated_at", format_utc(item.updated_at)}};
}

// "UPDATED.LEASE": the last item shown.
ItemPlace place_of(const Request& request) {
  const auto found = request.query.find("cursor");
  if (found == request.query.end()) return {};
  const std::string& text = found->second;
  const char* end = text.data() + text.size();
  ItemPlace place;
  const auto first = std::from_chars(text.data(), end, place.updated_at);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '.') {
    const auto second = std::from_chars(first.ptr + 1, end, place.number);
    if (second.ec == std::errc() && second.ptr == end) return place;
  }
  throw Error(ErrorCode::kBadInput, "query parameter \"cursor\" is none of ours");
}

using PersonHandler = std::function<Reply(const Request&, UserId)>;

// Hands the account to the handler.
Handler with_person(PersonHandler handler) {
  return [handler = std::move(handler)](const Request& request) {
    if (!request.principal || !request.principal->user) {
      return problem_reply(403, "annotation is done by people with an account: cutd user add NAME --role annotator",
                           "forbidden");
    }
    return handler(request, *request.principal->user);
  };
}

JudgmentLabel label_of(const Json& body) {
  return from_name<JudgmentLabel>(json_get<std::string>(body, "label", kRequestBody));
}

Reply claim(const QueueContext& context, const Request& request, UserId user) {
  const Json body = json_body(request);
  require_keys(body, {"item"});
  const std::int64_t now = context.clock.boot_millis();
  if (!context.rate.admit(user, now)) {
    Reply reply = problem_reply(429, "too many claims: two a second are plenty, wait a moment", "too_many");
    reply.headers.emplace_back("Retry-After", "5");
    return reply;
  }
  ClaimInput input{user, now, std::nullopt, random_draw()};
  if (body.contains("item")) input.item = json_get<std::string>(body, "item", kRequestBody);
  const ClaimResult result = context.store.write([&](Writer& writer) { return claim_task(writer, input); });
  return json_reply(
      {{"task", result.item ? task_view(*result.item) : Json()}, {"why", result.item ? Json() : Json(result.why)}});
}

Reply submit(const QueueContext& context, const Request& request, const LeaseRef& lease) {
  const Json body = json_body(request);
  require_keys(body, {"label", "text", "seconds_spent"});
  Submission submission;
  submission.label = label_of(body);
  submission.text = checked_judgment_text(submission.label == JudgmentLabel::kPositive,
                                          json_get<std::string>(body, "text", kRequestBody));
  if (body.contains("seconds_spent")) {
    submission.seconds_spent = json_get<double>(body, "seconds_spent", kRequestBody);
    if (!(*submission.seconds_spent >= 0 && *submission.seconds_spent <= 86400))
      throw Error(ErrorCode::kBadInput, "request body: \"seconds_spent\" is 0 to 86400");
  }
  return change_once(context.store, request, [&](Writer& writer) {
    const SubmitResult result = submit_judgment(writer, lease, submission);
    return json_reply(
        {{"item", result.item}, {"state", result.state}, {"submitted_at", format_utc(result.submitted_at)}});
  });
}

Reply draft(const QueueContext& context, const Request& request, const LeaseRef& lease) {
  const Json body = json_body(request);
  require_keys(body, {"label", "text"});
  DraftText text;
  if (!json_get<Json>(body, "label", kRequestBody).is_null()) text.label = label_of(body);
  text.text = json_get<std::string>(body, "text", kRequestBody);
  if (text.text.size() > kMostWrittenBytes)
    throw Error(ErrorCode::kBadInput, "the text is too long: at most 65536 bytes");
  return change_once(context.store, request, [&](Writer& writer) {
    const SavedDraft saved = save_draft(writer, lease, text);
    return json_reply({{"saved_at", format_utc(saved.saved_at)}, {"seconds_left", seconds(saved.left_ms)}});
  });
}

Reply renew(const QueueContext& context, const Request& request, const LeaseRef& lease) {
  return change_once(context.store, request, [&](Writer& writer) {
    return json_reply({{"seconds_left", seconds(renew_lease(writer, lease))}});
  });
}

Reply skip(const QueueContext& context, const Request& request, const LeaseRef& lease) {
  const Json body = json_body(request);
  require_keys(body, {"reason"});
  const std::string reason = json_get<std::string>(body, "reason", kRequestBody);
  if (reason.size() > 4000) throw Error(ErrorCode::kBadInput, "request body: \"reason\" is too long");
  return change_once(context.store, request, [&](Writer& writer) {
    return json_reply({{"item", skip_task(writer, lease, reason)}, {"state", "skipped"}});
  });
}

Reply release(const QueueContext& context, const Request& request, const LeaseRef& lease) {
  return change_once(context.store, request, [&](Writer& writer) {
    release_task(writer, lease);
    return json_reply(Json::object());
  });
}

Reply own_items(const QueueContext& context, const Request& request, UserId user) {
  const QueueView view = view_of(request);
  const std::int64_t limit = query_integer(request, "limit", 50, 1, 200);
  auto items = context.store.read(
      [&](Reader& reader) { return list_own_items(reader, user, view, place_of(request), limit + 1); });
  Json next;
  if (static_cast<std::int64_t>(items.size()) > limit) {
    items.pop_back();
    next = fmt::format("{}.{}", items.back().updated_at, items.back().number);
  }
  Json list = Json::array();
  for (const OwnItem& item : items) list.push_back(item_view(item));
  return json_reply({{"items", std::move(list)}, {"next", std::move(next)}});
}

Reply own_item(const QueueContext& context, const Request& request, UserId user) {
  const auto item =
      context.store.read([&](Reader& reader) { return find_own_item(reader, user, request.captures.at("item")); });
  if (!item) throw Error(ErrorCode::kNotFound, "you have no such item");
  return json_reply(item_view(*item));
}

Reply progress(const QueueContext& context, const Request&, UserId user) {
  const OwnProgress own = context.store.read([&](Reader& reader) { return own_progress(reader, user); });
  return json_reply({{"available", own.available},
                     {"pending", own.pending},
                     {"draft", own.draft},
                     {"submitted", own.submitted},
                     {"skipped", own.skipped},
                     {"total", own.total},
                     {"done", own.done},
                     {"blocked", own.blocked}});
}

// Of the annotators with a queue at work, each version once.
Reply guidelines(const QueueContext& context, const Request&) {
  Json list = Json::array();
  context.store.read([&](Reader& reader) {
    std::set<AnnotatorId> seen;
    for (const Queue& queue : list_queues_at_work(reader)) {
      if (!seen.insert(queue.annotator).second) continue;
      const Annotator annotator = find_annotator(reader, queue.annotator).value();
      const HumanAnnotator human = parse_annotator(annotator.config.parse(), "annotator " + annotator.name).human;
      list.push_back({{"hash", queue.settings.guideline}, {"annotator", annotator.name}, {"text", human.guidelines}});
    }
  });
  return json_reply({{"guidelines", std::move(list)}});
}

}  // namespace

void add_annotator_routes(Router& router, const QueueContext& context) {
  const auto add = [&](const char* method, const char* path,
                       Reply (*handler)(const QueueContext&, const Request&, UserId)) {
    router.add(method, path, Access::kAnnotator, with_person([context, handler](const Request& request, UserId user) {
                 return handler(context, request, user);
               }));
  };
  const auto add_lease = [&](const char* method, const char* action,
                             Reply (*handler)(const QueueContext&, const Request&, const LeaseRef&)) {
    router.add_once(
        method, std::string("/api/v1/queue/leases/{lease}/") + action, Access::kAnnotator,
        with_person([context, handler](const Request& request, UserId user) {
          return handler(context, request, {user, request.captures.at("lease"), context.clock.boot_millis()});
        }));
  };
  // The reply holds the lease's secret.
  router.add_secret(
      "POST", "/api/v1/queue/claim", Access::kAnnotator,
      with_person([context](const Request& request, UserId user) { return claim(context, request, user); }));
  add_lease("POST", "renew", renew);
  add_lease("PUT", "draft", draft);
  add_lease("POST", "submit", submit);
  add_lease("POST", "skip", skip);
  add_lease("POST", "release", release);
  add("GET", "/api/v1/queue/items", own_items);
  add("GET", "/api/v1/queue/items/{item}", own_item);
  add("GET", "/api/v1/queue/progress", progress);
  router.add("GET", "/api/v1/queue/guidelines", Access::kAnnotator,
             [context](const Request& request) { return guidelines(context, request); });
}

}  // namespace cutd
