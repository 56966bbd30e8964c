#include "llm_api/chat_client.h"

#include <algorithm>
#include <utility>

#include "core/random.h"

namespace cutd {
namespace {

constexpr std::int64_t kPollMs = 1'000;  // the longest sleep, a safety net
constexpr std::int64_t kHeldBackMs = 1'000;

std::int64_t estimate_tokens(const ChatRequest& chat) {
  constexpr std::size_t kBytesPerToken = 4;
  std::size_t bytes = 0;
  for (const ChatMessage& message : chat.messages) bytes += message.content.size();
  return static_cast<std::int64_t>(bytes / kBytesPerToken) + chat.max_tokens;
}

}  // namespace

ChatClient::ChatClient(ChatClientOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      http_(options_.http),
      rate_(options_.rate),
      // What has no place yet must not be admitted: after a stop it would still be sent.
      concurrency_(std::min(options_.start_concurrency, static_cast<int>(options_.http.max_in_flight)),
                   static_cast<double>(options_.http.max_in_flight)) {}

ChatClient::~ChatClient() = default;

void ChatClient::submit(std::int64_t request, ChatRequest chat) {
  Item item;
  item.request = request;
  item.estimated_tokens = estimate_tokens(chat);
  item.chat = std::move(chat);
  {
    const std::lock_guard lock(mutex_);
    submitted_.push_back(std::move(item));
  }
  http_.wake();
}

std::optional<ApiFailure> ChatClient::run(std::stop_token stop, ChatSink& sink) {
  const std::stop_callback wake(stop, [this] { http_.wake(); });
  sink_ = &sink;
  ending_ = false;
  pause_.reset();
  for (;;) {
    take_submitted();
    ending_ = stop.stop_requested() || pause_;
    if (ending_) break;
    if (due_.empty() && in_flight_ == 0) return std::nullopt;
    send_due();
    http_.step(wait_ms());
  }
  drain();
  due_.clear();
  return pause_;
}

// Replies under way are paid for: they get some time to arrive.
void ChatClient::drain() {
  const std::int64_t until = clock_.boot_millis() + options_.drain_ms;
  while (in_flight_ > 0 && clock_.boot_millis() < until) http_.step(std::min(kPollMs, until - clock_.boot_millis()));
  http_.cancel_all();
  while (in_flight_ > 0) http_.step(0);
}

void ChatClient::take_submitted() {
  const std::lock_guard lock(mutex_);
  for (Item& item : submitted_) due_.emplace(clock_.boot_millis(), std::move(item));
  submitted_.clear();
}

// --- sending -----------------------------------------------------------------------------------------

bool ChatClient::may_send_another(std::size_t chosen) const {
  const std::int64_t now = clock_.boot_millis();
  return in_flight_ + chosen < static_cast<std::size_t>(concurrency_.limit()) && rate_.next_ms() <= now &&
         circuit_.admits(now);
}

std::vector<ChatClient::Item> ChatClient::choose_due() {
  std::vector<Item> chosen;
  const std::int64_t now = clock_.boot_millis();
  while (!due_.empty() && due_.begin()->first <= now && may_send_another(chosen.size())) {
    Item item = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    if (!circuit_.open() && draw() < budget_.hold_back_probability(now)) {
      queue(std::move(item), kHeldBackMs);
      continue;
    }
    ++item.attempts;
    ++item.sends;
    item.sent_ms = now;
    rate_.sent(now, item.estimated_tokens);
    circuit_.sent(now);
    chosen.push_back(std::move(item));
  }
  return chosen;
}

void ChatClient::send_due() {
  std::vector<Item> chosen = choose_due();
  if (chosen.empty()) return;
  std::vector<ChatAttempt> attempts;
  attempts.reserve(chosen.size());
  for (const Item& item : chosen) attempts.push_back({item.request, item.attempts});
  const std::vector<bool> admitted = sink_->before_send(attempts);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (admitted.at(i)) send(std::move(chosen[i]));
    else sink_->finished(chosen[i].request, ChatCapped{});
  }
}

void ChatClient::send(Item item) {
  if (item.sends == 1) budget_.sent(item.sent_ms, false);  // a retry was counted when it was decided on
  HttpRequest http = chat_http_request(options_.endpoint, item.chat);
  ++in_flight_;
  http_.submit(std::move(http), [this, item = std::move(item)](HttpOutcome outcome) mutable {
    --in_flight_;
    on_outcome(std::move(item), std::move(outcome));
  });
}

// --- outcomes ----------------------------------------------------------------------------------------

void ChatClient::on_outcome(Item item, HttpOutcome outcome) {
  ChatOutcome read = read_outcome(item, std::move(outcome));
  learn(item, read);
  if (auto* failure = std::get_if<ApiFailure>(&read)) return on_failure(std::move(item), std::move(*failure));
  sink_->finished(item.request, std::get<ChatReply>(std::move(read)));
}

ChatOutcome ChatClient::read_outcome(const Item& item, HttpOutcome outcome) {
  const ChatAttempt attempt{item.request, item.attempts};
  if (auto* failure = std::get_if<HttpFailure>(&outcome)) {
    ApiFailure classified = classify_http_failure(*failure);
    classified.received = without_secret(std::move(failure->body), options_.endpoint.key);
    sink_->after_failure(attempt, classified);
    return classified;
  }
  auto& reply = std::get<HttpReply>(outcome);
  reply.body = without_secret(std::move(reply.body), options_.endpoint.key);
  for (HttpHeader& header : reply.headers)
    header.value = without_secret(std::move(header.value), options_.endpoint.key);
  const auto usage = read_usage(options_.endpoint.format, reply.body);
  sink_->after_reply(attempt, reply, usage);
  const bool done = reply.status == 200;
  rate_.settled(item.estimated_tokens, usage  ? usage->input_tokens + usage->output_tokens
                                       : done ? item.estimated_tokens
                                              : 0);
  return parse_chat_reply(options_.endpoint.format, item.chat, reply, clock_.wall_micros());
}

void ChatClient::learn(const Item& item, const ChatOutcome& outcome) {
  const std::int64_t now = clock_.boot_millis();
  const auto* failure = std::get_if<ApiFailure>(&outcome);
  const bool sick =
      failure != nullptr && (failure->what == FailureClass::kRetryable || failure->what == FailureClass::kUnknown);
  budget_.answered(now, !sick);
  if (failure != nullptr && failure->throttled) return concurrency_.throttled(item.sent_ms, now);  // busy, not sick
  if (sick) return circuit_.failed(now);
  circuit_.succeeded();
  if (failure == nullptr) concurrency_.succeeded();
}

void ChatClient::on_failure(Item item, ApiFailure failure) {
  if (failure.what == FailureClass::kUnknown && ending_) return;  // its attempt says it; who goes on later decides
  const std::int64_t now = clock_.boot_millis();
  if (failure.what == FailureClass::kUnknown && sink_->may_resend({item.request, item.attempts})) {
    failure.what = FailureClass::kRetryable;
  }
  const RetryDecision decision =
      decide_retry(options_.retry, failure, item.sends, item.parks, budget_.allows_retry(now), draw());
  switch (decision.action) {
    case RetryAction::kPause:
      if (!pause_) pause_ = failure;
      return;
    case RetryAction::kSendAgain:
      // Counted now and not when it is sent: it waits behind what is due, and all that fail meanwhile would pass, too.
      budget_.sent(now, true);
      if (!ending_) queue(std::move(item), decision.delay_ms);
      return;
    case RetryAction::kPark:
      ++item.parks;
      item.sends = 0;
      if (!ending_) queue(std::move(item), decision.delay_ms);
      return;
    case RetryAction::kGiveUp:
    case RetryAction::kAskPolicy: sink_->finished(item.request, failure);
  }
}

void ChatClient::queue(Item item, std::int64_t delay_ms) {
  due_.emplace(clock_.boot_millis() + delay_ms, std::move(item));
}

std::int64_t ChatClient::wait_ms() const {
  if (due_.empty()) return kPollMs;
  const std::int64_t now = clock_.boot_millis();
  if (in_flight_ >= static_cast<std::size_t>(concurrency_.limit())) return kPollMs;  // only a reply makes room
  const std::int64_t next = std::max({due_.begin()->first, rate_.next_ms(), circuit_.next_probe_ms()});
  return std::clamp<std::int64_t>(next - now, 0, kPollMs);
}

double ChatClient::draw() { return philox_uniform(options_.seed, ++draws_); }

Json ChatClient::save_rate() const { return rate_.save(clock_.boot_millis(), clock_.wall_micros()); }
void ChatClient::restore_rate(const Json& saved) { rate_.restore(saved, clock_.boot_millis(), clock_.wall_micros()); }

}  // namespace cutd
