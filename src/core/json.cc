#include "core/json.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <vector>

#include "core/blanks.h"
#include "core/error.h"
#include "core/files.h"

namespace cutd {

namespace {

// Of one object in untrusted text. A Json object is a list: its nth key costs n comparisons, and outsiders choose n.
constexpr std::size_t kMaxJsonKeys = 1024;

}  // namespace

// Who permits more depth reads a file of the operator's choice, a vocabulary for one.
Json parse_json(std::string_view text, const std::string& origin, int max_depth) {
  const std::size_t max_keys = max_depth > kMaxJsonDepth ? std::numeric_limits<std::size_t>::max() : kMaxJsonKeys;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > max_depth)
      throw Error(ErrorCode::kBadInput, origin + ": JSON nested deeper than " + std::to_string(max_depth));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(ErrorCode::kBadInput, origin + ": duplicate key \"" + parsed.get<std::string>() + "\"");
    }
    if (event == Json::parse_event_t::key && keys.back().size() > max_keys) {
      throw Error(ErrorCode::kBadInput, origin + ": an object of more than " + std::to_string(max_keys) + " keys");
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kBadInput, origin + ": " + error.what());
  }
}

Json read_json_file(const std::filesystem::path& path) { return parse_json(read_file(path), path.string(), 64); }

void read_json_lines(const std::filesystem::path& path, const std::function<void(const Json&, std::size_t)>& row) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_errno("cannot open " + path.string());
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (is_blank(line)) continue;
    row(parse_json(line, path.string() + ":" + std::to_string(number)), number);
  }
  if (file.bad()) throw_errno("cannot read " + path.string());
}

void parse_json_lines(std::string_view bytes, const std::string& origin,
                      const std::function<void(const Json&, const std::string& place)>& row) {
  std::size_t number = 0;
  for (std::size_t start = 0; start < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', start), bytes.size());
    const std::string_view line = bytes.substr(start, end - start);
    start = end + 1;
    ++number;
    if (is_blank(line)) continue;
    const std::string place = origin + ":" + std::to_string(number);
    row(parse_json(line, place), place);
  }
}

void throw_json_member(const std::string& origin, const char* key, const std::string& why) {
  throw Error(ErrorCode::kBadInput, origin + ": key \"" + key + "\" " + why);
}

std::string to_json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace cutd
