// What a client does so that a sick server costs little and a busy one is not pushed: an adaptive number of requests
// in flight, a circuit that opens, and a budget of retries (reliability P18, section 4). Pure state machines on one
// monotonic clock in milliseconds; one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace cutd {

// Additive increase, halving when the server says too many; never above `most`, however large the start.
class ConcurrencyLimit {
 public:
  explicit ConcurrencyLimit(double start = 16, double most = 256) : limit_(std::min(start, most)), most_(most) {}
  int limit() const { return static_cast<int>(limit_); }
  void succeeded();
  // Of a request sent at `sent_ms`: what was sent before the last halving says nothing about the new limit.
  void throttled(std::int64_t sent_ms, std::int64_t now_ms);

 private:
  double limit_;
  double most_;
  std::int64_t halved_ms_ = -1;
};

// Closed until `kOpensAt` failures without a success between them; then one probe a minute until one succeeds.
class Circuit {
 public:
  static constexpr int kOpensAt = 20;
  static constexpr std::int64_t kProbeEveryMs = 60'000;

  bool open() const { return failures_ >= kOpensAt; }
  int failures() const { return failures_; }  // in a row
  // Whether a request may be sent now; when it is, tell sent().
  bool admits(std::int64_t now_ms) const { return !open() || now_ms >= next_probe_ms_; }
  // When admits() may change by time alone; 0 when it is closed.
  std::int64_t next_probe_ms() const { return open() ? next_probe_ms_ : 0; }
  void sent(std::int64_t now_ms);
  void succeeded() { failures_ = 0; }
  void failed(std::int64_t now_ms);

 private:
  int failures_ = 0;
  std::int64_t next_probe_ms_ = 0;
};

// Since when every request has failed before a byte of it was sent: no such host, nobody listening, no TLS. That is a
// mistake in the configuration or a server that is gone, and no patience cures the first.
class Reach {
 public:
  void never_sent(std::int64_t now_ms) {
    if (!since_ms_) since_ms_ = now_ms;
  }
  void reached() { since_ms_.reset(); }
  // How long nobody has been reached; 0: somebody was, or nothing was tried.
  std::int64_t missing_ms(std::int64_t now_ms) const { return since_ms_ ? now_ms - *since_ms_ : 0; }

 private:
  std::optional<std::int64_t> since_ms_;
};

// Google SRE, "Handling Overload": retries stay below a tenth of what is sent, and requests are held back with
// probability (requests - 2 x accepts) / (requests + 1), both over two minutes.
class RetryBudget {
 public:
  static constexpr double kShare = 0.1;
  static constexpr int kAlways = 2;  // so that the first failure of a short round need not wait for a park

  void sent(std::int64_t now_ms, bool retry);
  // One of them was answered; `accepted`: not turned away and not failed at the server.
  void answered(std::int64_t now_ms, bool accepted);
  bool allows_retry(std::int64_t now_ms) const;
  double hold_back_probability(std::int64_t now_ms) const;

 private:
  static constexpr std::int64_t kSlotMs = 10'000;
  struct Slot {
    std::int64_t number = -1;
    int sends = 0;
    int retries = 0;
    int answers = 0;
    int accepts = 0;
  };
  Slot& slot(std::int64_t now_ms);
  Slot sum(std::int64_t now_ms) const;

  std::array<Slot, 12> slots_;
};

}  // namespace cutd
