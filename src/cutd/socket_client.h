// One HTTP/1.1 request over a Unix socket.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "server/http.h"

namespace cutd {

// Whether somebody listens at `socket`.
bool socket_answers(const std::filesystem::path& socket);

// The reply; nullopt when nobody listens. Throws Error(kUnavailable) when the connection breaks or is silent
// for a minute, or what comes back is not HTTP.
std::optional<Reply> ask_socket(const std::filesystem::path& socket, const std::string& method,
                                const std::string& target, const std::string& body);

// A whole reply as it came over the wire. Throws Error(kUnavailable).
Reply parse_reply(const std::string& text);

}  // namespace cutd
