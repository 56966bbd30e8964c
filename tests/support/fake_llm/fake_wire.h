// What the double says on the wire: a reply and the ways in which it can be wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cutd {

struct FakeRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
  std::string logical_id;          // of the work asked for: equal bodies are the same work
  std::int64_t number = 0;         // of this request at the server, from 1
  std::int64_t try_number = 0;     // of this logical id, from 1
  std::int64_t on_connection = 0;  // of this request on its connection, from 1
};

enum class Framing { kLength, kChunked, kUntilClose };

struct FakeReply {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;  // beside type, length and coding
  std::string body;
  std::size_t repeat = 1;  // how often the body is sent: gigabytes without memory
  Framing framing = Framing::kLength;
  bool gzip = false;

  bool charged = true;                     // the work was done and is billed, whatever becomes of the reply
  std::vector<std::string> charged_items;  // beside it, logical ids: the requests of a batch
  std::int64_t delay_ms = 0;               // before the first byte
  bool never = false;                      // no byte, no end
  bool drop = false;                       // closes without a byte
  std::optional<std::size_t> cut_at;       // closes after so many bytes
  std::int64_t drip_ms = 0;                // one byte each
  bool close = false;                      // closes after the whole reply
  std::string raw;                         // these bytes instead of everything above
};

// Head and body as sent; of a repeated body only the first. `fake_wire(reply).size()` is what cut_at counts.
std::string fake_wire(const FakeReply& reply);

// `bytes` `repeat` times as one gzip stream.
std::string gzip_bytes(const std::string& bytes, std::size_t repeat = 1);

// nullopt while `input` holds no whole request; else the request, removed from `input`.
// Throws Error(kBadInput) for what is not a request with a Content-Length.
std::optional<FakeRequest> take_request(std::string& input);

}  // namespace cutd
