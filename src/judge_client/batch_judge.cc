#include "judge_client/batch_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <random>
#include <utility>

#include "core/error.h"

namespace cutd {
namespace {

constexpr std::int64_t kMostTries = 5;   // of a request that its batches did not run
constexpr int kMostPages = 50;           // of a provider's list, a hundred batches each
constexpr std::size_t kUtcSeconds = 19;  // "2026-11-24T03:51:07"
constexpr std::int64_t kClockSkewMicros = 600'000'000;

HttpClientOptions http_options(HttpClientOptions options) {
  options.max_reply_bytes = std::size_t{512} << 20;  // results of a whole batch
  options.total_ms = 600'000;
  options.first_byte_ms = 600'000;
  return options;
}

std::string new_name() {
  std::random_device device;
  return fmt::format("cutd-{:08x}{:08x}", device(), device());
}

std::string custom_id(const std::string& name, RequestId request) { return name + "-" + std::to_string(request.value); }

}  // namespace

BatchJudge::BatchJudge(LlmJudgeOptions options, BatchOptions batch, const Clock& clock)
    : options_(std::move(options)), batch_(batch), clock_(clock), http_(http_options(options_.client.http)) {
  if (options_.client.endpoint.format == WireFormat::kWebhook)
    throw Error(ErrorCode::kUsage, "a webhook takes no batches: say kind llm");
}

void BatchJudge::submit(JudgeRequest request) {
  const std::lock_guard lock(mutex_);
  submitted_.push_back(std::move(request));
}

Json BatchJudge::save_state() const {
  return {
      {"looked_micros", looked_micros_}, {"waiting_since_micros", waiting_since_micros_}, {"unusable", streak_.save()}};
}

void BatchJudge::restore_state(const Json& state) {
  looked_micros_ = json_get_or<std::int64_t>(state, "looked_micros", 0, "the batch judge's state");
  waiting_since_micros_ = json_get_or<std::int64_t>(state, "waiting_since_micros", 0, "the batch judge's state");
  streak_.restore(json_get_or<Json>(state, "unusable", Json::object(), "the batch judge's state"));
}

std::optional<JudgeOutcome> BatchJudge::read_stored(const JudgeRequest& request, const RawReply& reply) const {
  const StoredReply read = read_stored_reply(options_, request, reply);
  if (read.ask_again) return std::nullopt;  // counted when it was settled, and read at every look until it is sent
  learn(read);
  return read.outcome;
}

void BatchJudge::run(std::stop_token stop, JudgeSink& sink) {
  sink_ = &sink;
  stop_ = stop;
  const std::stop_callback wake(stop, [this] { http_.wake(); });
  try {
    look(stop);
    tell_health();
  } catch (const Stopped&) {
    http_.cancel_all();
    http_.step(0);
  } catch (const Halted& halted) {
    sink.halted(halted.reason);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    sink.halted(error.what());  // the provider says what we do not understand; its batches stay open
  }
  requests_.clear();
}

void BatchJudge::tell_health() {
  if (!asked_ || answers_ == !trouble_) return;
  answers_ = !trouble_;
  sink_->health_changed(answers_ ? JudgeHealth{} : JudgeHealth{false, *trouble_, batch_.poll_ms});
}

void BatchJudge::look(std::stop_token stop) {
  if (stop.stop_requested()) throw Stopped{};
  asked_ = false;
  trouble_.reset();
  {
    const std::lock_guard lock(mutex_);
    for (JudgeRequest& request : submitted_) requests_.insert_or_assign(request.id.value, std::move(request));
    submitted_.clear();
  }
  const std::vector<OpenBatch> open = sink_->open_batches();
  const std::int64_t now = clock_.wall_micros();
  // A wall clock that went back must not keep us from looking.
  if (now - looked_micros_ >= batch_.poll_ms * 1000 || now < looked_micros_) {
    for (const OpenBatch& batch : open) look_at(batch);
    looked_micros_ = now;
  }
  if (halt_) throw Halted{*std::exchange(halt_, std::nullopt)};
  send_waiting(open);
}

void BatchJudge::look_at(const OpenBatch& batch) {
  if (batch.provider_id.empty()) return find(batch);
  const auto reply = ask_json(batch_get_request(options_.client.endpoint, batch.provider_id));
  if (!reply) return;
  const BatchState state = read_batch(options_.client.endpoint.format, *reply);
  if (!state.ended) return;
  if (!state.failure.empty()) {
    sink_->batch_ended(batch.name, state.failure);
    throw Halted{"the provider refused batch " + batch.name + ": " + state.failure};
  }
  settle(batch, state);
}

// --- a creation without an answer --------------------------------------------------------------------

void BatchJudge::find(const OpenBatch& batch) {
  const std::optional<std::string> id = find_by_name(batch);
  if (!id) return;  // nobody can tell yet
  if (!id->empty()) return sink_->batch_created(batch.name, *id);
  const std::int64_t age_ms = (clock_.wall_micros() - batch.created_at) / 1000;
  if (age_ms < batch_.appears_ms) return;
  sink_->batch_ended(batch.name, "the provider does not know it: it was never created");
}

// Empty: the provider does not list it. nullopt, so that nothing is sent again: the list could not be read, or not back
// to the batch's time, or one that may be it still works.
std::optional<std::string> BatchJudge::find_by_name(const OpenBatch& batch) {
  const ChatEndpoint& endpoint = options_.client.endpoint;
  const std::string oldest = format_utc(batch.created_at - kClockSkewMicros).substr(0, kUtcSeconds);
  const auto is_older = [&](const BatchState& one) {
    return !one.created_at.empty() && one.created_at.substr(0, kUtcSeconds) < oldest;
  };
  std::string after;
  bool may_be = false;
  for (int i = 0; i < kMostPages; ++i) {
    const auto reply = ask_json(batch_list_request(endpoint, after));
    if (!reply) return std::nullopt;
    const BatchPage page = read_batch_page(endpoint.format, *reply);
    for (const BatchState& candidate : page.batches) {
      if (candidate.name == batch.name) return candidate.id;
      if (endpoint.format == WireFormat::kOpenAi) continue;
      // Anthropic's batches bear no name; their results do, once they have ended.
      if (is_older(candidate)) continue;
      if (candidate.requests != 0 && candidate.requests != static_cast<std::int64_t>(batch.attempts.size())) continue;
      if (!candidate.ended) may_be = true;
      else if (is_of(batch, candidate)) return candidate.id;
    }
    if (!page.more || is_older(page.batches.back())) return may_be ? std::nullopt : std::optional<std::string>("");
    after = page.batches.back().id;
  }
  return std::nullopt;
}

bool BatchJudge::is_of(const OpenBatch& batch, const BatchState& candidate) {
  for (HttpRequest& request : batch_result_requests(options_.client.endpoint, candidate)) {
    const auto lines = ask(std::move(request));
    if (lines && lines->find("\"" + batch.name + "-") != std::string::npos) return true;
  }
  return false;
}

// --- results -----------------------------------------------------------------------------------------

void BatchJudge::settle(const OpenBatch& batch, const BatchState& state) {
  std::map<std::string, AttemptId> open;
  for (const AttemptId& attempt : batch.attempts) open.emplace(custom_id(batch.name, attempt.request), attempt);
  std::vector<BatchResult> results;
  for (HttpRequest& request : batch_result_requests(options_.client.endpoint, state)) {
    const auto lines = ask(std::move(request));
    if (!lines) return;  // all of them, or none: later
    std::vector<BatchResult> read = read_batch_results(options_.client.endpoint.format, *lines);
    std::move(read.begin(), read.end(), std::back_inserter(results));
  }
  for (const BatchResult& result : results) {
    const auto attempt = open.extract(result.custom_id);  // the second line of one id is nobody's
    if (attempt) settle_one(attempt.mapped(), result);
  }
  for (const auto& [id, attempt] : open) {
    sink_->after_failure(attempt, {true, 0, "the results of batch " + batch.name + " do not hold it"});
    if (requests_.contains(attempt.request.value))
      sink_->finished(attempt.request, JudgeFailure{JudgeFailureKind::kUnknown, "its batch's results do not hold it"});
  }
  sink_->batch_ended(batch.name, "");
}

void BatchJudge::settle_one(AttemptId attempt, const BatchResult& result) {
  if (result.status == 0) {
    const auto failure = classify_error_object({{"error", {{"message", result.reason}}}}, 0);
    if (failure && failure->what == FailureClass::kSpendLimit) halt_when_settled(failure->message);
    return give_back(attempt, result.reason);
  }
  const WireFormat format = options_.client.endpoint.format;
  const RawReply raw{without_secret(result.body, options_.client.endpoint.key), "application/json", result.status,
                     attempt.number};
  std::optional<Usage> usage;
  if (const auto used = read_usage(format, raw.bytes)) {
    usage = Usage{used->input_tokens, used->output_tokens, at_discount(price_of(options_.price, *used))};
  }
  constexpr int kWhole = 200;
  if (result.status != kWhole) return settle_refused(attempt, raw, usage);
  sink_->after_reply(attempt, raw, usage);
  read_whole(attempt, raw);
}

void BatchJudge::settle_refused(AttemptId attempt, const RawReply& raw, const std::optional<Usage>& usage) {
  const HttpReply http{raw.status, {{"content-type", "application/json"}}, raw.bytes, 0};
  const ApiFailure failure = classify_status(http, clock_.wall_micros());
  // Credit is used up, or key and model are wrong: it is not about the item, which stays to be asked.
  if (failure.what == FailureClass::kSpendLimit || is_about_annotator(failure, 1)) {
    halt_when_settled(failure.message);
    return sink_->after_failure(attempt, {false, failure.status, failure.message, raw.bytes});
  }
  if (failure.what != FailureClass::kPermanent) return give_back(attempt, failure.message, raw.bytes);
  sink_->after_reply(attempt, raw, usage);
  sink_->finished(attempt.request, JudgeFailure{JudgeFailureKind::kPermanent, failure.message});
}

// Of another task's requests the money is settled now; their judgments are read from the store in their turn.
void BatchJudge::read_whole(AttemptId attempt, const RawReply& raw) {
  const auto request = requests_.extract(attempt.request.value);
  if (!request) return;
  const StoredReply read = read_stored_reply(options_, request.mapped(), raw);
  learn(read);
  if (!read.ask_again) sink_->finished(attempt.request, read.outcome);  // else it waits for the next batch
}

// What a reply says about the annotator.
void BatchJudge::learn(const StoredReply& read) const {
  streak_.add(read.outcome);
  if (read.another_model) halt_when_settled(std::get<JudgeFailure>(read.outcome).reason);
  else if (const auto reason = streak_.reason()) halt_when_settled(*reason);
}

void BatchJudge::halt_when_settled(const std::string& reason) const {
  if (!halt_) halt_ = without_secret(reason, options_.client.endpoint.key);
}

// Not run and not charged: it waits for the next batch.
void BatchJudge::give_back(AttemptId attempt, const std::string& reason, const std::string& raw) {
  sink_->after_failure(attempt, {false, 0, reason, raw});
  if (attempt.number >= kMostTries && requests_.contains(attempt.request.value))
    sink_->finished(attempt.request, JudgeFailure{JudgeFailureKind::kRetryable, reason});
}

// --- sending -----------------------------------------------------------------------------------------

void BatchJudge::send_waiting(const std::vector<OpenBatch>& open) {
  for (const OpenBatch& batch : open) {
    for (const AttemptId& attempt : batch.attempts) requests_.erase(attempt.request.value);
  }
  if (requests_.empty()) return;
  const std::int64_t now = clock_.wall_micros();
  if (waiting_since_micros_ == 0 || waiting_since_micros_ > now) waiting_since_micros_ = now;
  const bool full = static_cast<std::int64_t>(requests_.size()) >= batch_.max_requests;
  if (!full && now - waiting_since_micros_ < batch_.gather_ms * 1000) return;
  waiting_since_micros_ = 0;
  std::vector<JudgeRequest> waiting;
  for (auto& [id, request] : requests_) waiting.push_back(std::move(request));
  for (std::size_t at = 0; at < waiting.size();) {
    std::vector<JudgeRequest> part;
    std::int64_t bytes = 0;
    constexpr std::int64_t kAround = 4'000;  // of the request's JSON and its prompt
    while (at < waiting.size() && static_cast<std::int64_t>(part.size()) < batch_.max_requests) {
      const JudgeRequest& next = waiting[at];
      bytes += 2 * static_cast<std::int64_t>(next.instruction.size() + next.response.size() + next.reference.size()) +
               kAround;
      if (bytes > batch_.max_bytes && !part.empty()) break;
      part.push_back(std::move(waiting[at++]));
    }
    send_batch(part);
  }
}

void BatchJudge::send_batch(const std::vector<JudgeRequest>& requests) {
  const std::string name = new_name();
  std::vector<BatchItem> items;
  std::vector<AttemptIntent> intents;
  for (const JudgeRequest& request : requests) {
    try {
      ChatRequest chat = judging_request(options_, judged_text(request));
      intents.push_back({{request.id, 1}, at_discount(most_cost(options_.price, chat))});
      items.push_back({custom_id(name, request.id), std::move(chat)});
    } catch (const Error& error) {
      sink_->finished(request.id, JudgeFailure{JudgeFailureKind::kPermanent, error.what()});
    }
  }
  if (items.empty()) return;
  const std::vector<bool> admitted = sink_->before_batch(name, intents);
  std::vector<BatchItem> sent;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (admitted.at(i)) sent.push_back(std::move(items[i]));
    else sink_->finished(intents[i].id.request, JudgeFailure{JudgeFailureKind::kCapped, "a spending cap is reached"});
  }
  if (sent.empty()) return sink_->batch_ended(name, "no request of it was admitted");
  create(name, sent);
}

void BatchJudge::create(const std::string& name, const std::vector<BatchItem>& items) {
  const ChatEndpoint& endpoint = options_.client.endpoint;
  std::string input = batch_input(endpoint.format, items);
  if (endpoint.format == WireFormat::kOpenAi) {
    const auto file = ask_json(batch_upload_request(endpoint, name, input));
    if (!file) return sink_->batch_ended(name, "its input could not be uploaded");
    input = read_file_id(*file);
  }
  const HttpOutcome outcome = exchange(batch_create_request(endpoint, name, input));
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    trouble_ = "the answer to the creation of batch " + name + " was lost; it is looked for";
    if (failure->maybe_sent) return;  // looked up at the next look
    const ApiFailure classified = classify_http_failure(*failure);
    sink_->batch_ended(name, classified.message);
    trouble_ = classified.message;
    if (classified.what == FailureClass::kPermanent) throw Halted{classified.message};
    return;
  }
  const auto& reply = std::get<HttpReply>(outcome);
  if (reply.status == 200 || reply.status == 201) {
    try {
      return sink_->batch_created(name,
                                  read_batch(endpoint.format, parse_json(reply.body, "the batch API's reply")).id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadInput) throw;
      return;  // it may exist: looked up at the next look
    }
  }
  const ApiFailure failure = classify_status(reply, clock_.wall_micros());
  trouble_ = without_secret(failure.message, endpoint.key);
  if (reply.status >= 500) return;  // it may exist
  sink_->batch_ended(name, failure.message);
  if (failure.what != FailureClass::kRetryable) throw Halted{without_secret(failure.message, endpoint.key)};
}

// --- the wire ----------------------------------------------------------------------------------------

HttpOutcome BatchJudge::exchange(HttpRequest request) {
  asked_ = true;
  std::optional<HttpOutcome> outcome;
  http_.submit(std::move(request), [&outcome](HttpOutcome result) { outcome = std::move(result); });
  while (!outcome && !stop_.stop_requested()) http_.step(1'000);
  if (outcome) return std::move(*outcome);
  http_.cancel_all();
  while (!outcome) http_.step(0);
  throw Stopped{};
}

std::optional<std::string> BatchJudge::ask(HttpRequest request) {
  HttpOutcome outcome = exchange(std::move(request));
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    const ApiFailure classified = classify_http_failure(*failure);
    if (classified.what == FailureClass::kPermanent) throw Halted{classified.message};
    trouble_ = classified.message;
    return std::nullopt;
  }
  auto& reply = std::get<HttpReply>(outcome);
  if (reply.status == 200) return std::move(reply.body);
  const ApiFailure failure = classify_status(reply, clock_.wall_micros());
  if (failure.what == FailureClass::kPermanent || failure.what == FailureClass::kSpendLimit)
    throw Halted{without_secret(failure.message, options_.client.endpoint.key)};
  trouble_ = without_secret(failure.message, options_.client.endpoint.key);
  return std::nullopt;
}

std::optional<Json> BatchJudge::ask_json(HttpRequest request) {
  const auto body = ask(std::move(request));
  if (!body) return std::nullopt;
  try {
    return parse_json(*body, "the batch API's reply");
  } catch (const Error&) {
    trouble_ = "the batch API's reply is no JSON: a proxy's page, perhaps";
    return std::nullopt;
  }
}

std::int64_t BatchJudge::at_discount(std::int64_t cost) const {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(cost) * batch_.price_factor));
}

}  // namespace cutd
