// JSON values, with the project's strictness: untrusted text has depth 32, 1,024 keys an object, none twice.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace cutd {

using Json = nlohmann::ordered_json;  // keeps key order: what we write reads as it was meant

constexpr int kMaxJsonDepth = 32;

// JSON as a row of the store holds it, parsed when it is asked for: most who read such a row want its other columns.
class StoredJson {
 public:
  StoredJson() = default;
  explicit StoredJson(std::string text) : text_(std::move(text)) {}
  Json parse() const { return text_.empty() ? Json() : Json::parse(text_); }

 private:
  std::string text_;
};

// Parses one JSON text. Throws Error(kBadInput) naming `origin` (a file, "request body") and the byte.
Json parse_json(std::string_view text, const std::string& origin, int max_depth = kMaxJsonDepth);

// A whole file; kNotFound or kBadInput naming the path.
Json read_json_file(const std::filesystem::path& path);

// Calls `row(value, line_number)` for each non-empty line. Throws naming "path:line".
void read_json_lines(const std::filesystem::path& path, const std::function<void(const Json&, std::size_t)>& row);

// JSON Lines held in memory: calls `row(value, place)` for each non-empty line, `place` being "origin:line" for
// messages. Throws naming the place.
void parse_json_lines(std::string_view bytes, const std::string& origin,
                      const std::function<void(const Json&, const std::string& place)>& row);

// The member `key` of object `value` as T; Error(kBadInput) naming `origin` and the key when it is
// absent or of another type.
template <typename T>
T json_get(const Json& value, const char* key, const std::string& origin);

// As json_get, but `fallback` when the key is absent or null.
template <typename T>
T json_get_or(const Json& value, const char* key, T fallback, const std::string& origin);

[[noreturn]] void throw_json_member(const std::string& origin, const char* key, const std::string& why);

template <typename T>
T json_get(const Json& value, const char* key, const std::string& origin) {
  if (!value.is_object() || !value.contains(key)) throw_json_member(origin, key, "is missing");
  try {
    return value.at(key).template get<T>();
  } catch (const nlohmann::json::exception& error) {
    throw_json_member(origin, key, error.what());
  }
}

template <typename T>
T json_get_or(const Json& value, const char* key, T fallback, const std::string& origin) {
  if (!value.is_object() || !value.contains(key) || value.at(key).is_null()) return fallback;
  return json_get<T>(value, key, origin);
}

// Text that is always valid JSON: invalid UTF-8 is replaced by U+FFFD.
std::string to_json_text(const Json& value, int indent = -1);

}  // namespace cutd

// Compiled once, in json_templates.cc, and optimised in every build: without it the sanitizer builds, which optimise
// nothing, spend most of their tests in a parser.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
extern template class nlohmann::detail::lexer<cutd::Json,
                                              nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
extern template class nlohmann::detail::parser<cutd::Json,
                                               nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
