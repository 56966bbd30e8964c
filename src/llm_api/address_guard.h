// Which network addresses may be connected to. Everything that is not a public unicast address is refused
// unless the configuration names it: a base URL must not reach the machine itself, its network or a cloud's
// metadata service by accident or by a name that resolves there (reliability P22).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct sockaddr;

namespace cutd {

// 16 bytes in network order; IPv4 as ::ffff:a.b.c.d.
using NetworkAddress = std::array<std::uint8_t, 16>;

// nullopt for anything but a numeric IPv4 or IPv6 address ("127.0.0.1", "::1", no brackets).
std::optional<NetworkAddress> parse_network_address(const std::string& text);

// nullopt for families other than IPv4 and IPv6 (a Unix socket is never permitted).
std::optional<NetworkAddress> network_address(const sockaddr& address);

struct AddressRange {
  NetworkAddress prefix{};
  int bits = 128;
  bool contains(const NetworkAddress& address) const;
};

// "10.1.2.0/24", "::1". Error(kUsage) naming `text`.
AddressRange parse_address_range(const std::string& text);

// Immutable, thread-safe.
class AddressGuard {
 public:
  // `allow_private`: the ranges that are permitted although they are not public.
  explicit AddressGuard(const std::vector<std::string>& allow_private);

  bool permits(const NetworkAddress& address) const;
  bool permits(const sockaddr& address) const;

 private:
  std::vector<AddressRange> refused_;
  std::vector<AddressRange> allowed_;
};

}  // namespace cutd
