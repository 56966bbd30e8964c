#include "cutd/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/unique_fd.h"

namespace cutd {
namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(take_variable("NOTIFY_SOCKET")) {
  const std::string microseconds = take_variable("WATCHDOG_USEC");
  const std::string pid = take_variable("WATCHDOG_PID");
  if (pid.empty() || pid == std::to_string(::getpid())) {
    std::int64_t value = 0;
    std::from_chars(microseconds.data(), microseconds.data() + microseconds.size(), value);
    watchdog_ms_ = value / 1000;
  }
}

void ServiceManager::ready(const std::string& status) { send("READY=1\nSTATUS=" + status); }

void ServiceManager::stopping(const std::string& status, std::int64_t seconds) {
  send("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(seconds * 1'000'000) + "\nSTATUS=" + status);
}

void ServiceManager::alive() { send("WATCHDOG=1"); }

std::optional<std::int64_t> ServiceManager::ping_every_ms() const {
  if (socket_.empty() || watchdog_ms_ <= 0) return std::nullopt;
  return watchdog_ms_ / 3;
}

// A lost message is no failure of ours: the manager will act on the silence.
void ServiceManager::send(const std::string& message) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';  // an abstract name
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
}

}  // namespace cutd
