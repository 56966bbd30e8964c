#include "server/origin.h"

#include <boost/asio/ip/address.hpp>

#include "core/error.h"
#include "server/message.h"

namespace cutd {
namespace {

// "[::1]:8080" is "::1", "localhost:80" is "localhost".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_our_origin(const Request& request, const std::string& text, const std::optional<PublicOrigin>& origin) {
  if (origin && lower_case(text) == origin->text()) return true;
  const std::string* host = find_header(request, "host");
  return host != nullptr && lower_case(text) == "http://" + lower_case(*host);
}

}  // namespace

PublicOrigin parse_public_url(const std::string& url) {
  PublicOrigin origin;
  const std::size_t mark = url.find("://");
  if (mark != std::string::npos) {
    origin.scheme = lower_case(url.substr(0, mark));
    origin.host = lower_case(url.substr(mark + 3));
  }
  if (origin.host.ends_with('/')) origin.host.pop_back();
  const bool known = origin.scheme == "http" || origin.scheme == "https";
  if (!known || origin.host.empty() || origin.host.find_first_of("/@?# ") != std::string::npos) {
    throw Error(ErrorCode::kUsage, "--public-url must be like https://judge.example.org, not \"" + url + "\"");
  }
  const std::string own_port = origin.scheme == "https" ? ":443" : ":80";
  if (origin.host.ends_with(own_port)) origin.host.resize(origin.host.size() - own_port.size());
  return origin;
}

bool is_our_host(std::string_view host, const std::optional<PublicOrigin>& origin) {
  const std::string name = lower_case(host);
  if (origin && name == origin->host) return true;
  const std::string bare(without_port(name));
  if (bare == "localhost") return true;
  boost::system::error_code error;
  boost::asio::ip::make_address(bare, error);
  return !error;
}

bool is_from_elsewhere(const Request& request, const std::optional<PublicOrigin>& origin) {
  if (const std::string* site = find_header(request, "sec-fetch-site");
      site && *site != "same-origin" && *site != "none")
    return true;
  const std::string* text = find_header(request, "origin");
  return text != nullptr && !is_our_origin(request, *text, origin);
}

bool is_same_origin(const Request& request, const std::optional<PublicOrigin>& origin) {
  if (is_from_elsewhere(request, origin)) return false;
  const std::string* site = find_header(request, "sec-fetch-site");
  return (site != nullptr && *site == "same-origin") || find_header(request, "origin") != nullptr;
}

}  // namespace cutd
