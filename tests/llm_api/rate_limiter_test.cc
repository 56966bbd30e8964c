// P19 by simulated clock: a server of 60 requests and 10,000 tokens a minute that enforces both by the second.
#include "llm_api/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cutd {
namespace {

// A bucket of one second's worth (or one request's), refilled continuously.
class StrictServer {
 public:
  bool takes(std::int64_t now_ms, double tokens) {
    const double seconds = static_cast<double>(now_ms - last_ms_) / 1e3;
    last_ms_ = now_ms;
    requests_ = std::min(1.0, requests_ + seconds);
    tokens_ = std::min(10'000.0 / 60, tokens_ + seconds * 10'000 / 60);
    if (requests_ < 1 || tokens_ < 0) return false;
    requests_ -= 1;
    tokens_ -= tokens;  // may go below zero: a request larger than a second's worth is let through, then waited for
    return true;
  }

 private:
  std::int64_t last_ms_ = 0;
  double requests_ = 1;
  double tokens_ = 10'000.0 / 60;
};

struct Load {
  int sent = 0;
  int refused = 0;
  std::int64_t tokens = 0;
};

// Ten minutes of work without end; the estimate is half of what each request really uses.
Load run(RateLimits limits, std::int64_t tokens) {
  RateLimiter limiter(limits);
  StrictServer server;
  Load load;
  for (std::int64_t now = 0; now < 600'000; now += 5) {
    if (limiter.next_ms() > now) continue;
    limiter.sent(now, tokens / 2);
    const bool taken = server.takes(now, static_cast<double>(tokens));
    limiter.settled(tokens / 2, taken ? tokens : 0);
    ++load.sent;
    if (!taken) ++load.refused;
    else load.tokens += tokens;
  }
  return load;
}

TEST(RateLimiterTest, KeepsToRequestsPerMinute) {
  const Load load = run({60, 10'000}, 100);
  EXPECT_LE(load.refused, load.sent / 100);
  EXPECT_GE(load.sent - load.refused, 600 * 9 / 10);
}

TEST(RateLimiterTest, KeepsToTokensPerMinute) {
  const Load load = run({60, 10'000}, 700);
  EXPECT_LE(load.refused, load.sent / 100);
  EXPECT_GE(load.tokens, 100'000 * 9 / 10);
}

TEST(RateLimiterTest, IsNeeded) {  // the negative control: without limits the server refuses nearly everything
  const Load load = run({}, 100);
  EXPECT_GT(load.refused, load.sent / 2);
}

TEST(RateLimiterTest, SurvivesARestart) {
  RateLimiter before({60, 600, 1});
  before.sent(1'000, 100);  // ten seconds' worth of tokens
  const Json saved = before.save(2'000, 50'000'000);
  RateLimiter after({60, 600, 1});
  after.restore(saved, 7, 53'000'000);  // another boot; three seconds later
  EXPECT_EQ(after.next_ms(), 7 + 6'000);
  after.restore(saved, 7, 10'000'000);  // the wall clock went back
  EXPECT_EQ(after.next_ms(), 7 + 9'000);
  after.restore(saved, 7, 500'000'000);
  EXPECT_EQ(after.next_ms(), 7);
}

TEST(RateLimiterTest, DoesNotSaveUpIdleTime) {
  RateLimiter limiter({60, 0, 1});
  limiter.sent(1'000'000, 0);
  EXPECT_EQ(limiter.next_ms(), 1'001'000);
}

}  // namespace
}  // namespace cutd
