#include "cutd_engine/table_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

namespace cutd {
namespace {

std::string flag_of(const std::string& key) {
  std::string name = key.substr(key.rfind('.') + 1);
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

// All names an option could have, the preferred one first.
std::vector<std::string> wanted_flags(const Option& option) {
  const std::string section = option.key.substr(0, option.key.find('.'));
  std::vector<std::string> names = {option.flag() == "--name" ? "--" + section : option.flag()};
  for (const std::string& alias : option.aliases) names.push_back(flag_of(alias));
  return names;
}

std::string help_of(const Option& option) {
  std::string text = option.help + " [" + option.key;
  if (!option.default_value.is_string() || option.default_value != "")
    text += ", " + to_json_text(option.default_value);
  return text + "]";
}

}  // namespace

void TableFlags::declare(CLI::App& command, const OptionTable& table, const std::string& group) {
  std::set<std::string> taken = {"--help"};
  for (const Option& option : table.options()) {
    std::string names;
    std::string first;
    for (const std::string& name : wanted_flags(option)) {
      if (!taken.insert(name).second) continue;
      if (first.empty()) first = name;
      names += (names.empty() ? "" : ",") + name;
    }
    const auto take = [this, key = option.key, first](const std::string& text) {
      given_.push_back({key, text.empty() ? "true" : text, first});
    };
    CLI::Option* added = command.add_option_function<std::string>(names, take, help_of(option));
    added->group(group)->type_name(option.type)->take_last();
    if (option.type != "boolean") continue;
    added->expected(0, 1);
    command
        .add_flag_callback(
            "--no-" + first.substr(2),
            [this, key = option.key, first] {
              given_.push_back({key, "false", "--no-" + first.substr(2)});
            },
            "the same as " + first + " false")
        ->group(group);
  }
}

void TableFlags::apply(OptionTable& table) const {
  for (const Given& one : given_) table.set_text(one.key, one.text, one.flag);
}

}  // namespace cutd
