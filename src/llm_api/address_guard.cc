#include "llm_api/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace cutd {
namespace {

// IANA's special-purpose registries, plus multicast, and the ways to write IPv4 inside IPv6 that lead past a check.
constexpr const char* kNotPublic[] = {
    "0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "64:ff9b:1::/48", "100::/64",       "2001::/23",
    "2001:db8::/32",  "2002::/16",    "3fff::/20",      "5f00::/16",      "fc00::/7",       "fe80::/10",
    "fec0::/10",      "ff00::/8"};

NetworkAddress mapped(const void* ipv4) {
  NetworkAddress address{};
  address[10] = address[11] = 0xff;
  std::copy_n(static_cast<const std::uint8_t*>(ipv4), 4, address.begin() + 12);
  return address;
}

bool starts_with_zeros(const NetworkAddress& address, std::size_t count) {
  return std::all_of(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(count),
                     [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<NetworkAddress> parse_network_address(const std::string& text) {
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return mapped(&four);
  NetworkAddress six{};
  if (::inet_pton(AF_INET6, text.c_str(), six.data()) == 1) return six;
  return std::nullopt;
}

std::optional<NetworkAddress> network_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) return mapped(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family != AF_INET6) return std::nullopt;
  NetworkAddress six{};
  std::copy_n(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr, six.size(), six.begin());
  return six;
}

bool AddressRange::contains(const NetworkAddress& address) const {
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(prefix.begin(), prefix.begin() + whole, address.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto at = static_cast<std::size_t>(whole);
  return ((prefix[at] ^ address[at]) >> (8 - bits % 8)) == 0;
}

AddressRange parse_address_range(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string literal = text.substr(0, slash);
  const auto address = parse_network_address(literal);
  const Error refusal(ErrorCode::kUsage,
                      "\"" + text + "\" is no address range: write one like 127.0.0.1 or 10.0.0.0/8");
  if (!address) throw refusal;
  const bool four = literal.find(':') == std::string::npos;
  int bits = four ? 32 : 128;
  if (slash != std::string::npos) {
    const char* end = text.data() + text.size();
    const int most = bits;
    const auto [stop, failure] = std::from_chars(text.data() + slash + 1, end, bits);
    if (failure != std::errc{} || stop != end || bits < 0 || bits > most) throw refusal;
  }
  return {*address, four ? bits + 96 : bits};
}

AddressGuard::AddressGuard(const std::vector<std::string>& allow_private) {
  for (const char* range : kNotPublic) refused_.push_back(parse_address_range(range));
  for (const std::string& range : allow_private) allowed_.push_back(parse_address_range(range));
}

bool AddressGuard::permits(const NetworkAddress& address) const {
  const auto holds = [&](const AddressRange& range) { return range.contains(address); };
  if (std::any_of(allowed_.begin(), allowed_.end(), holds)) return true;
  static constexpr NetworkAddress kNat64 = {0x00, 0x64, 0xff, 0x9b};  // 64:ff9b::/96 carries an IPv4 address
  if (AddressRange{kNat64, 96}.contains(address)) return permits(mapped(address.data() + 12));
  // ::, ::1 and the IPv4-compatible ::a.b.c.d; ::ffff:a.b.c.d is IPv4 and stands in the table.
  if (starts_with_zeros(address, 12)) return false;
  return std::none_of(refused_.begin(), refused_.end(), holds);
}

bool AddressGuard::permits(const sockaddr& address) const {
  const auto parsed = network_address(address);
  return parsed && permits(*parsed);
}

}  // namespace cutd
