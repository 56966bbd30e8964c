#include "cutd/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

#include "core/unique_fd.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

TEST(ServiceManagerTest, SpeaksTheNotifyProtocol) {
  const TemporaryDirectory folder;
  const std::string path = (folder / "notify").string();
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  ServiceManager manager;
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);  // no child may speak for the daemon
  EXPECT_EQ(manager.ping_every_ms(), 20'000);
  const auto heard = [&] {
    char bytes[200];
    const ssize_t count = ::recv(socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    return count < 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(count));
  };
  manager.ready("serving");
  EXPECT_EQ(heard(), "READY=1\nSTATUS=serving");
  manager.alive();
  EXPECT_EQ(heard(), "WATCHDOG=1");
  manager.stopping("finishing", 120);
  EXPECT_EQ(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=120000000\nSTATUS=finishing");
}

TEST(ServiceManagerTest, WithoutSystemdItDoesNothing) {
  ::unsetenv("NOTIFY_SOCKET");
  ServiceManager manager;
  manager.ready("x");
  manager.alive();
  EXPECT_EQ(manager.ping_every_ms(), std::nullopt);
}

}  // namespace
}  // namespace cutd
