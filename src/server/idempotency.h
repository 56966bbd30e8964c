// A change is done once per idempotency key: repeats, also parallel ones, get the first one's reply.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "core/clock.h"
#include "server/http.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

// Thread-safe. Keys belong to who asks. Replies with 2xx are kept: in the store for a day, or, of a secret route, in
// memory alone. Other replies changed nothing and are not kept. A daemon that is killed at work repeats nothing:
//   once     (Router::add_once) change and reply are one transaction, so both are there or neither is
//   others   the key is noted as begun, durably, before the handler runs; where no reply followed, a repeat is told so
//   secret   what a secret's loss leaves behind is one more session, token or link, or the same lease: it runs anew
class Idempotency {
 public:
  Idempotency(Store& store, const Clock& clock);

  // Runs the route's handler, or answers as before. 400 for an unusable key, 409 for a key that was used for another
  // request, whose first request was lost with the daemon that did it, or (with Retry-After) is at work: it is waited
  // for only as long as an ordinary change takes, since who waits holds one of the few threads.
  Reply run(const Route& route, const Request& request);

 private:
  using Key = std::pair<std::int64_t, std::string>;
  struct Remembered {
    std::string request_hash;
    Reply reply;
  };

  std::optional<Reply> earlier(const Route& route, const Request& request, const Key& key, const std::string& hash);
  Reply run_once(const Route& route, const Request& request, const Key& key, const std::string& hash);
  Reply run_secret(const Route& route, const Request& request, const Key& key, const std::string& hash);
  Reply run_noted(const Route& route, const Request& request, const Key& key, const std::string& hash);
  void note_begun(const Key& key, const std::string& hash);
  void forget(const Key& key);
  bool begin(const Key& key);
  void end(const Key& key);

  Store& store_;
  const Clock& clock_;
  const std::string salt_;  // of the hashes of requests that hold secrets
  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<Key, bool> running_;        // guarded by mutex_
  std::map<Key, Remembered> secrets_;  // guarded by mutex_
  std::deque<Key> secret_order_;       // guarded by mutex_
};

}  // namespace cutd
