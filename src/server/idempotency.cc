#include "server/idempotency.h"

#include <algorithm>
#include <chrono>

#include "core/hash.h"
#include "server/secrets.h"
#include "store/kept_replies.h"

namespace cutd {
namespace {

constexpr std::chrono::milliseconds kPatience{200};
constexpr std::size_t kMostSecrets = 1000;

bool is_usable(const std::string& key) {
  return key.size() >= 8 && key.size() <= 128 && std::all_of(key.begin(), key.end(), [](char letter) {
           return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                  (letter >= 'A' && letter <= 'Z') || std::string_view("._~-").find(letter) != std::string_view::npos;
         });
}

std::string hash_of(const Request& request, const std::string& salt) {
  Json parts = {salt, request.method, request.path, request.query};
  // A body need not be UTF-8, which JSON must be.
  return sha256_hex(to_json_text(parts) + "\n" + request.body);
}

Reply replayed(Reply reply) {
  reply.headers.emplace_back("Idempotent-Replayed", "true");
  return reply;
}

Reply other_request() {
  return problem_reply(409, "this Idempotency-Key was used for another request; take a new key for a new change",
                       ErrorCode::kConflict);
}

Reply at_work() {
  Reply reply = problem_reply(409, "a request with this Idempotency-Key is still at work; ask again", ErrorCode::kBusy);
  reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

Reply outcome_unknown(const Request& request) {
  return problem_reply(
      409,
      "the outcome is unknown: the daemon stopped while it worked on this Idempotency-Key; look at what " +
          request.path + " changes, and take a new key if it was not done",
      ErrorCode::kConflict);
}

KeptReply kept(const std::string& hash, const Reply& reply) {
  return {hash, reply.status, reply.content_type, reply.body};
}

}  // namespace

Idempotency::Idempotency(Store& store, const Clock& clock) : store_(store), clock_(clock), salt_(random_secret()) {}

Reply Idempotency::run(const Route& route, const Request& request) {
  const auto header = request.headers.find("idempotency-key");
  if (header == request.headers.end() || !request.principal) return route.handler(request);
  if (!is_usable(header->second)) {
    return problem_reply(400, "Idempotency-Key: 8 to 128 letters, digits and ._~-", ErrorCode::kBadInput);
  }
  const Key key{request.principal->user ? request.principal->user->value : 0, header->second};
  const std::string hash = hash_of(request, route.secret ? salt_ : "");
  if (!begin(key)) return at_work();
  struct End {
    Idempotency& changes;
    const Key& key;
    ~End() { changes.end(key); }
  } const at_end{*this, key};
  if (auto reply = earlier(route, request, key, hash)) return std::move(*reply);
  if (route.secret) return run_secret(route, request, key, hash);
  if (route.once) return run_once(route, request, key, hash);
  return run_noted(route, request, key, hash);
}

Reply Idempotency::run_once(const Route& route, const Request& request, const Key& key, const std::string& hash) {
  Request keeping = request;
  keeping.keep = [&](Writer& writer, const Reply& reply) {
    keep_reply(writer, key.first, key.second, kept(hash, reply));
  };
  return route.handler(keeping);
}

Reply Idempotency::run_secret(const Route& route, const Request& request, const Key& key, const std::string& hash) {
  Reply reply = route.handler(request);
  if (reply.status >= 300) return reply;
  const std::scoped_lock lock(mutex_);
  secrets_[key] = {hash, reply};
  secret_order_.push_back(key);
  if (secret_order_.size() > kMostSecrets) {
    secrets_.erase(secret_order_.front());
    secret_order_.pop_front();
  }
  return reply;
}

Reply Idempotency::run_noted(const Route& route, const Request& request, const Key& key, const std::string& hash) {
  note_begun(key, hash);
  Reply reply;
  try {
    reply = route.handler(request);
  } catch (...) {
    forget(key);
    throw;
  }
  if (reply.status >= 300) {
    forget(key);
  } else {
    store_.write([&](Writer& writer) { keep_reply(writer, key.first, key.second, kept(hash, reply)); });
  }
  return reply;
}

void Idempotency::note_begun(const Key& key, const std::string& hash) {
  store_.write([&](Writer& writer) { keep_reply(writer, key.first, key.second, {hash, 0, "", ""}); });
}

void Idempotency::forget(const Key& key) {
  try {
    store_.write([&](Writer& writer) { forget_begun(writer, key.first, key.second); });
  } catch (const std::exception&) {
    // The store is broken: what the handler threw says so, and its outcome is unknown indeed.
  }
}

std::optional<Reply> Idempotency::earlier(const Route& route, const Request& request, const Key& key,
                                          const std::string& hash) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = secrets_.find(key); found != secrets_.end()) {
      return route.secret && found->second.request_hash == hash ? replayed(found->second.reply) : other_request();
    }
  }
  const auto found =
      store_.read([&](Reader& reader) { return find_kept_reply(reader, key.first, key.second, clock_.wall_micros()); });
  if (!found) return std::nullopt;
  if (found->request_hash != hash) return other_request();
  if (found->status == 0) return outcome_unknown(request);
  Reply reply;
  reply.status = found->status;
  reply.content_type = found->content_type;
  reply.body = found->body;
  return replayed(std::move(reply));
}

// False: another request with the key did not end in time.
bool Idempotency::begin(const Key& key) {
  std::unique_lock lock(mutex_);
  if (!ended_.wait_for(lock, kPatience, [&] { return !running_.contains(key); })) return false;
  running_[key] = true;
  return true;
}

void Idempotency::end(const Key& key) {
  {
    const std::scoped_lock lock(mutex_);
    running_.erase(key);
  }
  ended_.notify_all();
}

}  // namespace cutd
