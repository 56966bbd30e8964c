// Clients that speak raw bytes to a server, over TCP or a Unix socket.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/unique_fd.h"
#include "server/unix_address.h"

namespace cutd {

class RawClient {
 public:
  // To a Unix socket.
  explicit RawClient(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const UnixAddress short_name(path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    short_name.name().copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  // To a port of loopback, from an address of its choice within 127.0.0.0/8.
  explicit RawClient(std::uint16_t port, const char* from = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in own = loopback(from, 0);
    ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own);
    const sockaddr_in server = loopback("127.0.0.1", port);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0;
  }

  bool connected() const { return connected_; }
  bool send(const std::string& bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  // Everything until the server closes, or until it contains `until`, or until nothing came for 20 s.
  std::string receive(const std::string& until = "\xff") {
    std::string text;
    char bytes[4096];
    pollfd ready = {socket_.get(), POLLIN, 0};
    while (text.find(until) == std::string::npos && ::poll(&ready, 1, 20'000) > 0) {
      const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  static sockaddr_in loopback(const char* address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &result.sin_addr);
    return result;
  }

  UniqueFd socket_;
  bool connected_ = false;
};

}  // namespace cutd
