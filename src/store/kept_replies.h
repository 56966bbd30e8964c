// The first reply to each change, by who asked and under which idempotency key, so that a repeat is answered
// and not done again. Replies that hold a secret never come here.
#pragma once

#include <optional>
#include <string>

#include "store/store.h"

namespace cutd {

struct KeptReply {
  std::string request_hash;  // of method, path, query and body
  int status = 0;            // 0: begun, and no reply is known
  std::string content_type;
  std::string body;
};

constexpr std::int64_t kKeptReplyMicros = 24LL * 3600 * 1'000'000;

// `user` 0: the daemon's own user.
std::optional<KeptReply> find_kept_reply(Reader& reader, std::int64_t user, const std::string& key, std::int64_t now);
// Replaces an outdated one, or the note that it was begun; sweeps a few more.
void keep_reply(Writer& writer, std::int64_t user, const std::string& key, const KeptReply& reply);
// What was begun has changed nothing: the key may be used again. Leaves a reply that is kept.
void forget_begun(Writer& writer, std::int64_t user, const std::string& key);

}  // namespace cutd
