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
// memory alone. Other replies changed nothing and are not kept. A crash between a change and the keeping of its reply
// makes a repeat run anew: what must not happen twice even then is guarded by the handler's own transaction.
class Idempotency {
 public:
  Idempotency(Store& store, const Clock& clock);

  // Runs the route's handler, or answers as before. 400 for an unusable key, 409 for a key that was used for another
  // request or whose first request is still at work after kPatience.
  Reply run(const Route& route, const Request& request);

 private:
  using Key = std::pair<std::int64_t, std::string>;
  struct Remembered {
    std::string request_hash;
    Reply reply;
  };

  std::optional<Reply> earlier(const Route& route, const Key& key, const std::string& hash);
  void keep(const Route& route, const Key& key, const std::string& hash, const Reply& reply);
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
