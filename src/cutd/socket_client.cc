#include "cutd/socket_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <charconv>

#include "core/error.h"
#include "core/unique_fd.h"
#include "server/unix_address.h"

namespace cutd {
namespace {

constexpr int kPatienceSeconds = 60;

UniqueFd connect_to(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return UniqueFd();
  const UnixAddress name(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.name().copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("cannot make a socket");
  const timeval patience = {kPatienceSeconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return UniqueFd();
  return socket;
}

[[noreturn]] void broken(const std::string& why) {
  throw Error(ErrorCode::kUnavailable, "the daemon's connection broke: " + why);
}

std::string receive_all(int socket) {
  std::string text;
  char bytes[16 << 10];
  for (;;) {
    const ssize_t count = ::recv(socket, bytes, sizeof bytes, 0);
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    // Turned away (too many connections): the reply came, and nobody read the request. Its length tells a whole one.
    if (count < 0 && errno == ECONNRESET && !text.empty()) return text;
    if (count < 0) broken(errno == EAGAIN ? "no answer within a minute" : "reading failed");
    text.append(bytes, static_cast<std::size_t>(count));
  }
}

}  // namespace

bool socket_answers(const std::filesystem::path& socket) { return static_cast<bool>(connect_to(socket)); }

std::optional<Reply> ask_socket(const std::filesystem::path& socket, const std::string& method,
                                const std::string& target, const std::string& body) {
  const UniqueFd connection = connect_to(socket);
  if (!connection) return std::nullopt;
  std::string request = method + " " + target + " HTTP/1.1\r\nHost: cutd\r\nConnection: close\r\n";
  if (!body.empty())
    request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  request += "\r\n" + body;
  // A refusal (a body too large) may come before everything was sent: the answer says why.
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count = ::send(connection.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    sent += static_cast<std::size_t>(count);
  }
  return parse_reply(receive_all(connection.get()));
}

Reply parse_reply(const std::string& text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || !text.starts_with("HTTP/1.1 ") || text.size() < 12) broken("no HTTP reply came");
  Reply reply;
  const char* status = text.data() + 9;
  if (std::from_chars(status, status + 3, reply.status).ptr != status + 3) broken("no status came");
  reply.body = text.substr(end + 4);
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t length_at = text.find(kLength);
  if (length_at < end) {
    std::size_t length = 0;
    const char* digits = text.data() + length_at + kLength.size();
    std::from_chars(digits, text.data() + end, length);
    if (reply.body.size() != length) broken("the reply was cut off");
  }
  return reply;
}

}  // namespace cutd
