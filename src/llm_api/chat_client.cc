#include "llm_api/chat_client.h"

#include <algorithm>
#include <utility>

#include "core/random.h"

namespace cutd {
namespace {

constexpr std::int64_t kBeatMs = 1'000;
constexpr std::int64_t kHeldBackMs = 1'000;
// Fewer failures than open a circuit say that a server is sick where nothing else will be tried for so long.
constexpr int kFewFailures = 3;
constexpr std::int64_t kSilenceMs = 10'000;

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
  next_beat_ms_ = clock_.boot_millis() + kBeatMs;
  reach_.reached();  // what nobody tried in between is no outage
  for (;;) {
    beat();
    take_submitted();
    ending_ = stop.stop_requested() || pause_;
    if (ending_) break;
    if (due_.empty() && in_flight_ == 0) return std::nullopt;
    send_due();
    http_.step(wait_ms());
  }
  drain();
  due_.clear();
  const std::lock_guard lock(mutex_);
  submitted_.clear();
  return pause_;
}

// Replies under way are paid for: they get some time to arrive.
void ChatClient::drain() {
  const std::int64_t until = clock_.boot_millis() + options_.drain_ms;
  while (in_flight_ > 0 && clock_.boot_millis() < until)
    http_.step(std::min(options_.poll_ms, until - clock_.boot_millis()));
  http_.cancel_all();
  while (in_flight_ > 0) http_.step(0);
}

void ChatClient::take_submitted() {
  const std::lock_guard lock(mutex_);
  for (Item& item : submitted_) queue(std::move(item), 0);
  submitted_.clear();
}

void ChatClient::beat() {
  const std::int64_t now = clock_.boot_millis();
  if (now < next_beat_ms_) return;
  next_beat_ms_ = now + kBeatMs;
  sink_->beat();
}

// --- sending -----------------------------------------------------------------------------------------

// While the server is sick whoever waits longest may ask how it is: its own time may be a quarter of an hour away, and
// the server back in a minute (reliability P18).
bool ChatClient::may_probe_early(std::int64_t now, const Circuit& circuit) const {
  if (circuit.open()) return circuit.admits(now);
  return in_flight_ == 0 && circuit.failures() > 0 && now - last_sent_ms_ >= Circuit::kProbeEveryMs;
}

ChatClient::Due::iterator ChatClient::next_due(std::int64_t now, const Circuit& circuit) {
  if (due_.empty() || due_.begin()->first <= now) return due_.begin();
  if (!may_probe_early(now, circuit)) return due_.end();
  return std::find_if(due_.begin(), due_.end(), [](const auto& one) { return !one.second.told_to_wait; });
}

// As if all of them were sent; what is not admitted counts for nothing.
std::vector<ChatClient::Item> ChatClient::choose_due() {
  std::vector<Item> chosen;
  const std::int64_t now = clock_.boot_millis();
  RateLimiter rate = rate_;
  Circuit circuit = circuit_;
  while (in_flight_ + chosen.size() < static_cast<std::size_t>(concurrency_.limit()) && rate.next_ms() <= now &&
         circuit.admits(now)) {
    const Due::iterator next = next_due(now, circuit);
    if (next == due_.end()) break;
    Item item = std::move(next->second);
    due_.erase(next);
    item.probe = item.not_before_ms > now;
    if (!item.probe && !circuit.open() && draw() < budget_.hold_back_probability(now)) {
      queue(std::move(item), kHeldBackMs);
      continue;
    }
    ++item.attempts;
    ++item.sends;
    item.sent_ms = now;
    rate.sent(now, item.estimated_tokens);
    circuit.sent(now);
    chosen.push_back(std::move(item));
    if (chosen.back().probe) break;  // one answer is enough to know
  }
  return chosen;
}

// Where none of them was admitted the next ones take their places at once.
void ChatClient::send_due() {
  for (bool any = false; !any;) {
    std::vector<Item> chosen = choose_due();
    if (chosen.empty()) return;
    std::vector<ChatAttempt> attempts;
    attempts.reserve(chosen.size());
    for (const Item& item : chosen) attempts.push_back({item.request, item.attempts});
    const std::vector<bool> admitted = sink_->before_send(attempts);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      any = any || admitted.at(i);
      if (admitted.at(i)) send(std::move(chosen[i]));
      else sink_->finished(chosen[i].request, ChatCapped{});
    }
  }
}

void ChatClient::send(Item item) {
  rate_.sent(item.sent_ms, item.estimated_tokens);
  circuit_.sent(item.sent_ms);
  last_sent_ms_ = item.sent_ms;
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
  std::optional<ApiFailure> failed;
  if (auto* failure = std::get_if<ApiFailure>(&read)) {
    failed = *failure;
    on_failure(std::move(item), std::move(*failure));
  } else {
    sink_->finished(item.request, std::get<ChatReply>(std::move(read)));
  }
  tell_health(failed);
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
  if (failure != nullptr && failure->code == http_failure_name(HttpFailureKind::kCancelled)) return;  // our own doing
  if (failure != nullptr && failure->never_sent) reach_.never_sent(now);
  else reach_.reached();
  const bool sick =
      failure != nullptr && (failure->what == FailureClass::kRetryable || failure->what == FailureClass::kUnknown);
  budget_.answered(now, !sick);
  if (failure != nullptr && failure->throttled) return concurrency_.throttled(item.sent_ms, now);  // busy, not sick
  if (sick) return circuit_.failed(now);
  const bool is_back = circuit_.open() || item.probe;
  circuit_.succeeded();
  if (is_back) pull_forward(now);
  if (failure == nullptr) concurrency_.succeeded();
}

// What the server itself gave a time to keeps it.
void ChatClient::pull_forward(std::int64_t now) {
  Due waiting;
  waiting.swap(due_);
  for (auto& [time, item] : waiting) {
    const std::int64_t when = item.told_to_wait ? time : std::min(time, now);
    queue_at(std::move(item), when);
  }
}

void ChatClient::on_failure(Item item, ApiFailure failure) {
  if (failure.what == FailureClass::kUnknown && ending_) return;  // its attempt says it; who goes on later decides
  const std::int64_t now = clock_.boot_millis();
  if (failure.what == FailureClass::kUnknown && sink_->may_resend({item.request, item.attempts})) {
    failure.what = FailureClass::kRetryable;
  }
  if (is_out_of_reach(failure)) return;
  const RetryDecision decision =
      decide_retry(options_.retry, failure, item.sends, item.parks, budget_.allows_retry(now), draw());
  if (item.probe && failure.what == FailureClass::kRetryable && decision.action != RetryAction::kPause)
    return put_back(std::move(item), failure);
  item.told_to_wait = failure.retry_after_ms.has_value();
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

// A probe that failed used up none of its item's tries: it was not its time yet.
void ChatClient::put_back(Item item, const ApiFailure& failure) {
  if (ending_) return;
  --item.sends;
  const std::int64_t least = clock_.boot_millis() + failure.retry_after_ms.value_or(0);
  item.told_to_wait = failure.retry_after_ms.has_value();
  const std::int64_t time = std::max(item.not_before_ms, least);
  queue_at(std::move(item), time);
}

bool ChatClient::is_out_of_reach(const ApiFailure& failure) {
  const std::int64_t missing_ms = reach_.missing_ms(clock_.boot_millis());
  if (options_.unreachable_ms == 0 || !failure.never_sent || missing_ms < options_.unreachable_ms) return false;
  if (!pause_) {
    constexpr std::int64_t kMinuteMs = 60'000;
    pause_ = failure;
    pause_->message = "nobody was reached for " + std::to_string(missing_ms / kMinuteMs) +
                      " minutes: " + failure.message + "; then resume";
    reach_.reached();  // who goes on after that means it
  }
  return true;
}

void ChatClient::tell_health(const std::optional<ApiFailure>& failure) {
  if (ending_ || pause_) return;
  if (circuit_.failures() == 0) {
    if (!answers_) sink_->health_changed({});
    answers_ = true;
    return;
  }
  if (!answers_ || !failure) return;
  const std::int64_t now = clock_.boot_millis();
  const bool all_wait = in_flight_ == 0 && !due_.empty() && due_.begin()->first >= now + kSilenceMs;
  if (!circuit_.open() && !(all_wait && circuit_.failures() >= kFewFailures)) return;
  answers_ = false;
  sink_->health_changed({false, failure->message, Circuit::kProbeEveryMs});
}

void ChatClient::queue(Item item, std::int64_t delay_ms) { queue_at(std::move(item), clock_.boot_millis() + delay_ms); }

void ChatClient::queue_at(Item item, std::int64_t time_ms) {
  item.not_before_ms = time_ms;
  item.probe = false;
  due_.emplace(time_ms, std::move(item));
}

std::int64_t ChatClient::wait_ms() const {
  if (due_.empty()) return options_.poll_ms;
  const std::int64_t now = clock_.boot_millis();
  if (in_flight_ >= static_cast<std::size_t>(concurrency_.limit())) return options_.poll_ms;  // only a reply makes room
  // A probe before its time may wait for this sleep's end.
  const std::int64_t next = std::max({due_.begin()->first, rate_.next_ms(), circuit_.next_probe_ms()});
  return std::clamp<std::int64_t>(next - now, 0, options_.poll_ms);
}

double ChatClient::draw() { return philox_uniform(options_.seed, ++draws_); }

Json ChatClient::save_rate() const { return rate_.save(clock_.boot_millis(), clock_.wall_micros()); }
void ChatClient::restore_rate(const Json& saved) { rate_.restore(saved, clock_.boot_millis(), clock_.wall_micros()); }

}  // namespace cutd
