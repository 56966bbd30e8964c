// Arguments of a request as the handlers need them.
#pragma once

#include <charconv>
#include <string>

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

}  // namespace cutd
