#include "llm_api/url.h"

#include <curl/curl.h>

#include <memory>

#include "core/error.h"

namespace cutd {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

// Empty when the part is absent.
std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (::curl_url_get(url, which, &text, flags) != CURLUE_OK) return "";
  std::string value = text;
  ::curl_free(text);
  return value;
}

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kUsage, "this base URL is refused: " + why); }

UrlHandle parse(const std::string& url) {
  UrlHandle handle(::curl_url());
  if (!handle) throw Error(ErrorCode::kResource, "out of memory");
  if (url.find('\0') != std::string::npos) refuse("it holds a NUL byte");
  const CURLUcode code = ::curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED) refuse("it holds a user name or password; keys belong to the credentials");
  if (code != CURLUE_OK) refuse(::curl_url_strerror(code));
  return handle;
}

// libcurl has already turned decimal, octal and hexadecimal spellings into dotted ones.
std::string bare_host(CURLU* url) {
  std::string host = part(url, CURLUPART_HOST);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

std::string checked_url(const std::string& url, const UrlRules& rules, const AddressGuard& guard) {
  const UrlHandle handle = parse(url);
  const std::string scheme = part(handle.get(), CURLUPART_SCHEME);
  if (scheme == "http" && !rules.allow_http) {
    refuse(
        "http sends the key and the texts in the clear; use https, or set allow_http for a server on your own network");
  }
  if (scheme != "https" && scheme != "http") refuse("\"" + scheme + "\" is neither https nor http");
  if (!part(handle.get(), CURLUPART_FRAGMENT).empty()) refuse("it ends with a #fragment");
  if (!part(handle.get(), CURLUPART_ZONEID).empty()) refuse("it names a network interface");
  const std::string host = bare_host(handle.get());
  const auto address = parse_network_address(host);
  if (address && !guard.permits(*address))
    refuse(host + " is not a public address; list it in allow_private to permit it");
  return part(handle.get(), CURLUPART_URL);
}

std::string proxy_defect(const std::string& proxy) {
  if (proxy.empty()) return "";
  const UrlHandle handle(::curl_url());
  if (!handle) throw Error(ErrorCode::kResource, "out of memory");
  const CURLUcode code = ::curl_url_set(handle.get(), CURLUPART_URL, proxy.c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED) return "it holds a user name or password, which a configuration must not";
  if (code != CURLUE_OK) return std::string("it must look like http://host:port: ") + ::curl_url_strerror(code);
  const std::string scheme = part(handle.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return "it must begin with http:// or https://";
  const bool bare = part(handle.get(), CURLUPART_PATH) == "/" && part(handle.get(), CURLUPART_QUERY).empty() &&
                    part(handle.get(), CURLUPART_FRAGMENT).empty();
  return bare ? "" : "it must end after the port";
}

std::string url_origin(const std::string& url) {
  const UrlHandle handle = parse(url);
  return part(handle.get(), CURLUPART_SCHEME) + "://" + part(handle.get(), CURLUPART_HOST) + ":" +
         part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

}  // namespace cutd
