// Arguments of a request as the handlers need them.
#pragma once

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/id.h"
#include "server/http.h"

namespace cutd {

// The {name} part of the path as an id. Throws Error(kNotFound): a path with another text names nothing.
template <typename IdType>
IdType path_id(const Request& request, const char* name = "id") {
  const std::string& text = request.captures.at(name);
  IdType id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value);
  if (error != std::errc() || end != text.data() + text.size() || id.value <= 0) {
    throw Error(ErrorCode::kNotFound, "\"" + text + "\" is no id");
  }
  return id;
}

// Refuses a member of a request's body that nobody reads: a misspelt one must not be ignored.
inline void require_keys(const Json& body, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : body.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw Error(ErrorCode::kBadInput, "request body: key \"" + key + "\" is not known");
    }
  }
}

}  // namespace cutd
