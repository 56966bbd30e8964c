#include "llm_api/address_guard.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "core/error.h"

namespace cutd {
namespace {

bool permits(const std::string& address, const std::vector<std::string>& allowed = {}) {
  return AddressGuard(allowed).permits(parse_network_address(address).value());
}

TEST(AddressGuardTest, PermitsPublicAddresses) {
  for (const char* address : {"1.1.1.1", "104.18.6.192", "172.15.255.255", "172.32.0.0", "100.128.0.1", "11.0.0.1",
                              "2606:4700::6812:7c0", "2a00:1450:4001::200e", "64:ff9b::8.8.8.8"}) {
    EXPECT_TRUE(permits(address)) << address;
  }
}

TEST(AddressGuardTest, RefusesWhatIsNotPublic) {
  for (const char* address : {"0.0.0.0",         "127.0.0.1",    "127.255.255.254", "10.0.0.1",   "172.16.0.1",
                              "172.31.255.255",  "192.168.1.1",  "169.254.169.254", "100.64.0.1", "224.0.0.1",
                              "255.255.255.255", "198.18.0.1",   "192.0.0.192",     "::",         "::1",
                              "fe80::1",         "fc00::1",      "fd00:ec2::254",   "ff02::1",    "2001:db8::1",
                              "2001::1",         "2002:7f00:1::"}) {
    EXPECT_FALSE(permits(address)) << address;
  }
}

TEST(AddressGuardTest, SeesPrivateAddressesInsideIpv6) {
  for (const char* address :
       {"::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254"}) {
    EXPECT_FALSE(permits(address)) << address;
  }
}

TEST(AddressGuardTest, PermitsOnlyTheListedPrivateRanges) {
  EXPECT_TRUE(permits("127.0.0.1", {"127.0.0.1"}));
  EXPECT_FALSE(permits("127.0.0.2", {"127.0.0.1"}));
  EXPECT_TRUE(permits("10.9.255.1", {"10.8.0.0/15"}));
  EXPECT_FALSE(permits("10.10.0.1", {"10.8.0.0/15"}));
  EXPECT_TRUE(permits("::1", {"::1"}));
  EXPECT_TRUE(permits("::ffff:127.0.0.1", {"127.0.0.0/8"}));
  EXPECT_FALSE(permits("169.254.169.254", {"10.0.0.0/8", "127.0.0.0/8", "fc00::/7"}));
}

TEST(AddressGuardTest, JudgesSocketAddresses) {
  const AddressGuard guard({});
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_FALSE(guard.permits(reinterpret_cast<const sockaddr&>(four)));
  ::inet_pton(AF_INET, "1.1.1.1", &four.sin_addr);
  EXPECT_TRUE(guard.permits(reinterpret_cast<const sockaddr&>(four)));
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(guard.permits(reinterpret_cast<const sockaddr&>(local)));
}

TEST(AddressGuardTest, NamesARangeThatIsNone) {
  for (const char* range : {"", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::1/129", "10.0.0/8"}) {
    EXPECT_THROW(parse_address_range(range), Error) << range;
  }
}

}  // namespace
}  // namespace cutd
