#include "server/pages.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "core/hash.h"

namespace cutd {
namespace {

constexpr std::string_view kDocument = "index.html";
constexpr std::string_view kAssetPattern = "/assets/{file}";
constexpr std::array<std::string_view, 13> kPatterns = {"/",          "/login",       "/annotate",  "/annotate/{view}",
                                                        "/runs/{id}", "/rounds/{id}", "/responses", "/responses/{id}",
                                                        "/adapters",  "/review",      "/start",     "/icon.svg",
                                                        kAssetPattern};

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

struct Page {
  std::string_view bytes;
  std::string_view type;
  std::string tag;  // of the bytes, quoted
  bool keep;        // its name changes with its bytes
};

using Pages = std::map<std::string, Page, std::less<>>;

Pages pages_of(std::span<const EmbeddedFile> files) {
  Pages pages;
  for (const EmbeddedFile& file : files) {
    pages[std::string(file.name)] = {file.bytes, content_type_of(file.name),
                                     '"' + sha256_hex(file.bytes).substr(0, 32) + '"',
                                     file.name.starts_with("assets/")};
  }
  if (!pages.contains(kDocument)) throw Error(ErrorCode::kInternal, "the web pages were not compiled in");
  return pages;
}

// RFC 9110 13.1.2, weak comparison.
bool names_tag(std::string_view header, std::string_view tag) {
  if (header == "*") return true;
  for (std::size_t at = header.find(tag); at != std::string_view::npos; at = header.find(tag, at + 1)) {
    const std::size_t end = at + tag.size();
    if (end == header.size() || header[end] == ',' || header[end] == ' ') return true;
  }
  return false;
}

Reply page_reply(const Page& page, const Request& request) {
  Reply reply;
  reply.content_type = page.type;
  reply.headers = {{"ETag", page.tag},
                   {"Cache-Control", page.keep ? "public, max-age=31536000, immutable" : "no-cache"},
                   {"Content-Security-Policy", std::string(kPolicy)},
                   {"Cross-Origin-Opener-Policy", "same-origin"},
                   {"Cross-Origin-Resource-Policy", "same-origin"},
                   {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
                   {"Referrer-Policy", "no-referrer"},
                   {"X-Frame-Options", "DENY"}};
  const auto known = request.headers.find("if-none-match");
  if (known != request.headers.end() && names_tag(known->second, page.tag)) {
    reply.status = 304;
  } else {
    reply.body = page.bytes;
  }
  return reply;
}

// Which file answers a pattern's request.
std::string file_of(std::string_view pattern, const Request& request) {
  if (pattern == kAssetPattern) return "assets/" + request.captures.at("file");
  if (pattern == "/icon.svg") return "icon.svg";
  return std::string(kDocument);
}

}  // namespace

std::span<const std::string_view> page_patterns() { return kPatterns; }

std::string_view content_type_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
  }};
  const auto* const found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& row) { return name.ends_with(row.first); });
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

void add_page_routes(Router& router, std::span<const EmbeddedFile> files) {
  const auto pages = std::make_shared<const Pages>(pages_of(files));
  for (const std::string_view pattern : kPatterns) {
    router.add("GET", std::string(pattern), Access::kPublic, [pages, pattern](const Request& request) {
      const auto page = pages->find(file_of(pattern, request));
      if (page == pages->end()) return problem_reply(404, "no such file: " + request.path, ErrorCode::kNotFound);
      return page_reply(page->second, request);
    });
  }
}

}  // namespace cutd
