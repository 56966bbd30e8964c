#include "core/options.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/nearest_names.h"

namespace cutd {
namespace {

bool type_fits(const std::string& type, const Json& value) {
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "text") return value.is_string();
  return value.is_array();
}

bool is_section(const std::vector<Option>& options, const std::string& prefix) {
  return std::any_of(options.begin(), options.end(),
                     [&](const Option& option) { return option.key.rfind(prefix + ".", 0) == 0; });
}

Json from_text(const std::string& type, const std::string& text) {
  if (type == "text") return text;
  if (type == "list") {
    Json list = Json::array();
    std::size_t start = 0;
    while (start <= text.size()) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      if (comma > start) list.push_back(text.substr(start, comma - start));
      start = comma + 1;
    }
    return list;
  }
  if (type == "number") {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0') return text;  // refused by type_fits
    return value;
  }
  return Json::parse(text, nullptr, false);
}

}  // namespace

std::string Option::flag() const {
  std::string name = key.substr(key.rfind('.') + 1);
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

Option& OptionTable::find(const std::string& key, const std::string& origin) {
  for (Option& option : options_) {
    if (option.key == key) return option;
    if (std::find(option.aliases.begin(), option.aliases.end(), key) != option.aliases.end()) return option;
  }
  const Option* nearest = nullptr;
  std::size_t nearest_distance = 0;
  for (const Option& option : options_) {
    const std::size_t distance = edit_distance(option.key, key);
    if (nearest == nullptr || distance < nearest_distance) {
      nearest = &option;
      nearest_distance = distance;
    }
  }
  std::string message = origin + ": unknown key \"" + key + "\"";
  if (nearest != nullptr && nearest_distance <= key.size() / 3 + 1)
    message += " (did you mean \"" + nearest->key + "\"?)";
  throw Error(ErrorCode::kUsage, message);
}

void OptionTable::assign(Option& option, const Json& value, const std::string& origin) {
  const Json before = option.get();
  if (!type_fits(option.type, value)) {
    throw Error(ErrorCode::kUsage, origin + ": key \"" + option.key + "\" takes a" +
                                       (option.type == "integer" ? "n " : " ") + option.type + ", not " +
                                       to_json_text(value));
  }
  try {
    option.set(value);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kUsage, origin + ": key \"" + option.key + "\": " + error.what());
  }
  const std::string refusal = option.check();
  if (!refusal.empty()) {
    option.set(before);
    throw Error(ErrorCode::kUsage, origin + ": key \"" + option.key + "\" " + refusal + ", not " + to_json_text(value));
  }
}

void OptionTable::load(const Json& values, const std::string& origin) {
  if (values.is_null()) return;  // an empty file
  if (!values.is_object()) throw Error(ErrorCode::kUsage, origin + ": the configuration must be a mapping of keys");
  const std::function<void(const Json&, const std::string&)> walk = [&](const Json& object, const std::string& prefix) {
    for (const auto& [name, value] : object.items()) {
      const std::string key = prefix.empty() ? name : prefix + "." + name;
      if (value.is_object() && is_section(options_, key)) {
        walk(value, key);
      } else {
        assign(find(key, origin), value, origin);
      }
    }
  };
  walk(values, "");
}

void OptionTable::set_text(const std::string& key, const std::string& text, const std::string& origin) {
  Option& option = find(key, origin);
  const Json value = from_text(option.type, text);
  assign(option, value.is_discarded() ? Json(text) : value, origin);
}

Json OptionTable::effective() const {
  Json result = Json::object();
  for (const Option& option : options_) {
    Json* place = &result;
    std::size_t start = 0;
    for (std::size_t dot = option.key.find('.'); dot != std::string::npos; dot = option.key.find('.', start)) {
      place = &(*place)[option.key.substr(start, dot - start)];
      start = dot + 1;
    }
    (*place)[option.key.substr(start)] = option.get();
  }
  return result;
}

std::function<std::string(const double&)> in_range(double low, double high) {
  return [low, high](const double& value) {
    if (value >= low && value <= high) return std::string();
    return "must lie in [" + Json(low).dump() + ", " + Json(high).dump() + "]";
  };
}

std::function<std::string(const std::int64_t&)> at_least(std::int64_t low) {
  return [low](const std::int64_t& value) {
    return value >= low ? std::string() : "must be at least " + std::to_string(low);
  };
}

std::function<std::string(const std::string&)> one_of(std::vector<std::string> allowed) {
  return [allowed = std::move(allowed)](const std::string& value) {
    std::string reason = "must be one of";
    for (const std::string& choice : allowed) {
      if (choice == value) return std::string();
      reason += " " + choice;
    }
    return reason;
  };
}

}  // namespace cutd
