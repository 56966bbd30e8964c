#include "support/fake_llm/fake_wire.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include "core/error.h"

namespace cutd {
namespace {

std::string chunked(const std::string& body) {
  constexpr std::size_t kChunk = 37;  // small, so that a reply has several
  std::ostringstream wire;
  for (std::size_t at = 0; at < body.size(); at += kChunk) {
    const std::string piece = body.substr(at, kChunk);
    wire << std::hex << piece.size() << "\r\n" << piece << "\r\n";
  }
  wire << "0\r\n\r\n";
  return wire.str();
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::string gzip_bytes(const std::string& bytes, std::size_t repeat) {
  z_stream zlib{};
  constexpr int kGzip = 16;
  if (::deflateInit2(&zlib, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error(ErrorCode::kResource, "out of memory");
  }
  std::string result;
  std::array<char, 16384> block;
  for (std::size_t i = 0; i < repeat; ++i) {
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib.avail_in = static_cast<uInt>(bytes.size());
    do {
      zlib.next_out = reinterpret_cast<Bytef*>(block.data());
      zlib.avail_out = static_cast<uInt>(block.size());
      ::deflate(&zlib, i + 1 == repeat ? Z_FINISH : Z_NO_FLUSH);
      result.append(block.data(), block.size() - zlib.avail_out);
    } while (zlib.avail_out == 0);
  }
  ::deflateEnd(&zlib);
  return result;
}

std::string fake_wire(const FakeReply& reply) {
  if (!reply.raw.empty()) return reply.raw;
  const std::string body = reply.gzip ? gzip_bytes(reply.body) : reply.body;
  std::ostringstream wire;
  wire << "HTTP/1.1 " << reply.status << " Fake\r\n";
  if (!reply.content_type.empty()) wire << "Content-Type: " << reply.content_type << "\r\n";
  if (reply.gzip) wire << "Content-Encoding: gzip\r\n";
  for (const auto& [name, value] : reply.headers) wire << name << ": " << value << "\r\n";
  if (reply.framing == Framing::kLength) wire << "Content-Length: " << body.size() * reply.repeat << "\r\n";
  if (reply.framing == Framing::kChunked) wire << "Transfer-Encoding: chunked\r\n";
  if (reply.framing == Framing::kUntilClose || reply.close) wire << "Connection: close\r\n";
  wire << "\r\n" << (reply.framing == Framing::kChunked ? chunked(body) : body);
  return wire.str();
}

std::optional<FakeRequest> take_request(std::string& input) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  FakeRequest request;
  std::istringstream head(input.substr(0, end + 2));
  std::string line;
  std::getline(head, line);
  std::istringstream first(line);
  if (!(first >> request.method >> request.path)) throw Error(ErrorCode::kBadInput, "no request line");
  while (std::getline(head, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) throw Error(ErrorCode::kBadInput, "no header: " + line);
    std::size_t value = colon + 1;
    while (value < line.size() && line[value] == ' ') ++value;
    request.headers[lower(line.substr(0, colon))] = line.substr(value, line.size() - value - 1);
  }
  const auto length = request.headers.find("content-length");
  const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
  if (input.size() < end + 4 + size) return std::nullopt;
  request.body = input.substr(end + 4, size);
  input.erase(0, end + 4 + size);
  return request;
}

}  // namespace cutd
