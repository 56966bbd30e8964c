// Tells other systems what happened: signed POSTs as the Standard Webhooks specification has them, sent again with a
// growing delay, given up after many. What is to be sent is in the store, so a restart loses none; a message may come
// twice (its webhook-id is the same then), never be lost silently.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "store/store.h"
#include "store/webhooks.h"

namespace cutd {

// "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY". `secret`: "whsec_" and base64, or plain text.
std::string webhook_signature(const std::string& secret, const std::string& id, std::int64_t timestamp,
                              const std::string& body);

// When to send again after so many failed attempts, in microseconds from now: 5 s, doubling, at most an hour; none
// after the twelfth (about five hours).
std::optional<std::int64_t> webhook_delay(std::int64_t attempts);

struct WebhookSenderOptions {
  std::vector<std::string> allow_private;  // address ranges, llm_api/address_guard.h; with any, http:// is allowed too
  std::function<std::string()> secret;     // throws Error when there is none
  std::int64_t poll_ms = 1'000;
};

// Error(kUsage) unless deliveries may go to `url` under these options.
std::string checked_webhook_url(const std::string& url, const WebhookSenderOptions& options);

class WebhookSender {
 public:
  // `store`, `clock` and `logger` must outlive it.
  WebhookSender(Store& store, WebhookSenderOptions options, const Clock& clock, Logger& logger);
  ~WebhookSender();  // stop()

  void begin();  // the thread
  void stop();   // what is under way is sent again later
  // One round of work on the calling thread: announces, sends what is due, settles it. For tests.
  void run_once();

 private:
  void loop();
  void send(const std::vector<Delivery>& due);
  void settle(const Delivery& delivery, std::optional<std::int64_t> status, const std::string& failure);

  Store& store_;
  const WebhookSenderOptions options_;
  const Clock& clock_;
  Logger& logger_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace cutd
