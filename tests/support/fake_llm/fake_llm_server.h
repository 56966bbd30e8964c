// An HTTP/1.1 server on 127.0.0.1 that answers as it is told and counts what it would have charged. One thread,
// hundreds of connections; connections are kept alive, so that a client which re-sends on them is found out.
// GET /_double, which is no hit, answers with the counts: {"hits", "connections", "charged", "charges": {logical id:
// times}}.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "support/fake_llm/fake_wire.h"

namespace cutd {

struct FakeCounts {
  std::int64_t connections = 0;
  std::int64_t hits = 0;                        // whole requests read
  std::map<std::string, std::int64_t> charges;  // by logical id, counted when the request is read
  std::int64_t charged() const;
};

// Called in the server's thread, once per request.
using FakeHandler = std::function<FakeReply(const FakeRequest&)>;

class FakeLlmServer {
 public:
  // Listens before it returns. `port` 0: any free one.
  explicit FakeLlmServer(FakeHandler handler, int port = 0);
  ~FakeLlmServer();

  int port() const;
  std::string url(const std::string& path = "") const;  // "http://127.0.0.1:PORT" + path
  FakeCounts counts() const;                            // any thread
  std::int64_t hits() const;                            // of counts(); any thread

  // fork(2) while the server's thread stands still, holding no lock that the child would find taken for ever: the
  // allocator of ASan (Clang 16) does not look after its own. The child has no server; it must not touch this one.
  pid_t fork() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutd
