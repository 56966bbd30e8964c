// Chat requests to one endpoint, N in flight from one thread: HTTP client, wire format, and the rules of retry, rate
// and overload together. It knows neither store nor ledger: a sink admits each attempt before a byte is sent and gets
// each reply before it is read.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "llm_api/http_client.h"
#include "llm_api/overload.h"
#include "llm_api/rate_limiter.h"
#include "llm_api/retry.h"
#include "llm_api/wire_format.h"

namespace cutd {

struct ChatAttempt {
  std::int64_t request = 0;  // as submitted
  std::int64_t number = 1;   // of this try, from 1: at most one message on the wire
};

struct ChatCapped {};  // the sink did not admit the attempt

using ChatResult = std::variant<ChatReply, ApiFailure, ChatCapped>;

// How the endpoint is.
struct ChatHealth {
  bool answers = true;
  std::string message;            // of the last failure, when it does not
  std::int64_t try_every_ms = 0;  // how often it is asked meanwhile
};

// Called in the thread of run(). What it throws ends run() and passes through.
class ChatSink {
 public:
  virtual ~ChatSink() = default;
  // Returns once every attempt is durable, one answer each, in order; false: nothing may be sent for it.
  virtual std::vector<bool> before_send(std::span<const ChatAttempt> attempts) = 0;
  // A whole reply of any status, before it is parsed. The key, should the server echo it, is taken out.
  virtual void after_reply(ChatAttempt attempt, const HttpReply& reply, const std::optional<ChatUsage>& usage) = 0;
  // An attempt without a whole reply: kUnknown where the server may have acted, else certainly nothing was charged
  // (kRetryable, kPermanent), or a reply that could not be received (kUnusable).
  virtual void after_failure(ChatAttempt attempt, const ApiFailure& failure) = 0;
  // Whether the policy allows a request to be sent again whose last attempt is unknown.
  virtual bool may_resend(ChatAttempt attempt) = 0;
  // Exactly once per request that was worked on to its end.
  virtual void finished(std::int64_t request, const ChatResult& result) = 0;
  // The endpoint stopped answering (its circuit is open, or all that is left waits after failures), or answers again.
  virtual void health_changed(const ChatHealth&) {}
  // About once a second while run() works; what is submitted here is worked on too.
  virtual void beat() {}
};

struct ChatClientOptions {
  ChatEndpoint endpoint;
  HttpClientOptions http;  // max_in_flight is the most that concurrency grows to
  RateLimits rate;
  RetryPolicy retry;
  int start_concurrency = 16;
  std::int64_t drain_ms = 20'000;  // after a stop: how long replies under way are waited for
  // Nobody was reached for so long (overload.h, Reach): run() ends with that failure. 0: it never does.
  std::int64_t unreachable_ms = 0;
  std::int64_t poll_ms = 1'000;  // the longest sleep, a safety net
  std::uint64_t seed = 1;        // of the jitter
};

// What it learns of the endpoint (rate, concurrency, circuit, budget of retries) it keeps from one run() to the next.
class ChatClient {
 public:
  ChatClient(ChatClientOptions options, const Clock& clock);
  ~ChatClient();

  // Any thread, also while run() works. `request`: unique among those not finished.
  void submit(std::int64_t request, ChatRequest chat);

  // Works until everything submitted is finished, until `stop`, or until only a person can help (the provider's money
  // is used up, say): then the reason is returned. What is left is dropped without finished() (its attempts are
  // reported) and submitted anew later. One thread at a time.
  std::optional<ApiFailure> run(std::stop_token stop, ChatSink& sink);

  // The state of the rate limiter, to be kept over restarts. Not during run().
  Json save_rate() const;
  void restore_rate(const Json& saved);

 private:
  struct Item {
    std::int64_t request = 0;
    ChatRequest chat;
    std::int64_t attempts = 0;  // made so far, of all rows
    int sends = 0;              // in this row
    int parks = 0;
    std::int64_t estimated_tokens = 0;
    std::int64_t sent_ms = 0;
    std::int64_t not_before_ms = 0;  // its key in due_
    bool told_to_wait = false;       // the server said until when: nothing pulls it forward
    bool probe = false;              // sent before its time, to see whether the server is back
  };
  using Due = std::multimap<std::int64_t, Item>;

  void take_submitted();
  void beat();
  void send_due();
  std::vector<Item> choose_due();
  Due::iterator next_due(std::int64_t now, const Circuit& circuit);
  bool may_probe_early(std::int64_t now, const Circuit& circuit) const;
  void send(Item item);
  void on_outcome(Item item, HttpOutcome outcome);
  ChatOutcome read_outcome(const Item& item, HttpOutcome outcome);
  void learn(const Item& item, const ChatOutcome& outcome);
  void on_failure(Item item, ApiFailure failure);
  void put_back(Item item, const ApiFailure& failure);
  bool is_out_of_reach(const ApiFailure& failure);
  void queue(Item item, std::int64_t delay_ms);
  void queue_at(Item item, std::int64_t time_ms);
  void pull_forward(std::int64_t now);
  void tell_health(const std::optional<ApiFailure>& failure);
  void drain();
  std::int64_t wait_ms() const;
  double draw();

  // Constant after construction.
  const ChatClientOptions options_;
  const Clock& clock_;

  // Owned by the thread of run().
  HttpClient http_;
  ChatSink* sink_ = nullptr;  // of the run() under way
  RateLimiter rate_;
  ConcurrencyLimit concurrency_;
  Circuit circuit_;
  RetryBudget budget_;
  Reach reach_;
  bool answers_ = true;  // as the sink was told
  std::int64_t last_sent_ms_ = 0;
  std::int64_t next_beat_ms_ = 0;
  std::uint64_t draws_ = 0;
  Due due_;  // by the time from which it may be sent
  std::size_t in_flight_ = 0;
  bool ending_ = false;  // nothing more is sent
  std::optional<ApiFailure> pause_;

  std::mutex mutex_;
  std::deque<Item> submitted_;  // guarded by mutex_
};

}  // namespace cutd
