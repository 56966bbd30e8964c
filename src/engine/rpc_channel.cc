#include "engine/rpc_channel.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "core/error.h"

namespace cutd {

RpcChannel::RpcChannel(UniqueFd socket, std::size_t max_line_bytes)
    : socket_(std::move(socket)), incoming_(max_line_bytes) {
  const int flags = ::fcntl(socket_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    throw_errno("cannot use the engine's socket");
}

void RpcChannel::queue(std::string line) { outgoing_.push_back(std::move(line)); }

bool RpcChannel::flush() {
  while (!outgoing_.empty()) {
    const std::string& line = outgoing_.front();
    const ssize_t count = ::send(socket_.get(), line.data() + sent_, line.size() - sent_, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    sent_ += static_cast<std::size_t>(count);
    if (sent_ == line.size()) {
      outgoing_.pop_front();
      sent_ = 0;
    }
  }
  return true;
}

bool RpcChannel::receive(const std::function<void(std::string_view line)>& on_line) {
  std::array<char, 64 << 10> bytes;
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count == 0) return false;
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    incoming_.append({bytes.data(), static_cast<std::size_t>(count)});
    while (const auto line = incoming_.next_line()) on_line(*line);
  }
}

}  // namespace cutd
