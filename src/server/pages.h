// The web pages (web/, built by scripts/web and compiled in): one document for every page's address and its
// hashed assets. They hold no data; what they show comes from /api/v1 with the reader's own session.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/embedded.h"
#include "server/router.h"

namespace cutd {

// The addresses of pages and assets as route patterns: "/login", "/rounds/{id}", "/assets/{file}", …
// All of them are public: a page without a session shows the login.
std::span<const std::string_view> page_patterns();

// GET for each of page_patterns(). `files` must outlive the router and hold "index.html"; throws
// Error(kInternal) where it is missing.
//
// Replies carry an ETag of the bytes (304 to its If-None-Match), and a Content-Security-Policy under which no inline
// script or style runs, nothing but this origin is asked for anything and markup is never parsed from text.
// Assets are named by their content and may be kept for ever; the document is asked for again each time.
void add_page_routes(Router& router, std::span<const EmbeddedFile> files);

// By the name's ending; "application/octet-stream" for an unknown one.
std::string_view content_type_of(std::string_view name);

}  // namespace cutd
