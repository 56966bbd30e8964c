// What systemd wants to hear (Type=notify, WatchdogSec): the sd_notify protocol is one datagram a message, so no
// library is linked for it. Without systemd everything here does nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cutd {

// One thread. Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment, so that no child speaks for the daemon.
class ServiceManager {
 public:
  ServiceManager();

  void ready(const std::string& status);
  // Asks for time beyond the manager's patience, and says why it takes long.
  void stopping(const std::string& status, std::int64_t seconds);
  void alive();  // the watchdog's ping

  // How often alive() is due: a third of the watchdog's time. None: no watchdog.
  std::optional<std::int64_t> ping_every_ms() const;

 private:
  void send(const std::string& message) const;

  std::string socket_;
  std::int64_t watchdog_ms_ = 0;
};

}  // namespace cutd
