#include "server/client_address.h"

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string_view>

namespace cutd {
namespace {

namespace ip = boost::asio::ip;

// An IPv4 address in IPv6's clothes is what it stands for: a listener on [::] sees such.
std::optional<ip::address> parse_address(std::string_view text) {
  boost::system::error_code error;
  const ip::address address = ip::make_address(text, error);
  if (error) return std::nullopt;
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

std::string_view last_of_list(std::string_view list) {
  const std::size_t comma = list.rfind(',');
  if (comma != std::string_view::npos) list.remove_prefix(comma + 1);
  const std::size_t begin = list.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return list.substr(begin, list.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::string client_address(const Request& request, bool behind_proxy) {
  const auto peer = parse_address(request.peer);
  const auto forwarded = request.headers.find("x-forwarded-for");
  if (!behind_proxy || !peer || !peer->is_loopback() || forwarded == request.headers.end()) return request.peer;
  const auto client = parse_address(last_of_list(forwarded->second));
  return client ? client->to_string() : request.peer;
}

}  // namespace cutd
