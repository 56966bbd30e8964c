#include "cutd/config_flags.h"

#include <CLI/CLI.hpp>
#include <map>

#include "core/json.h"

namespace cutd {

void add_config_flags(CLI::App& command, std::vector<ConfigOverride>& overrides) {
  const std::vector<Option> options = run_config_options();
  std::map<std::string, int> uses;
  for (const Option& option : options) ++uses[option.flag()];
  for (const Option& option : options) {
    const std::string dotted = "--" + option.key;
    const std::string plain = option.flag();
    const bool taken = uses[plain] > 1 || plain == dotted || command.get_option_no_throw(plain) != nullptr;
    command
        .add_option_function<std::string>(
            taken ? dotted : dotted + "," + plain,
            [&overrides, key = option.key](const std::string& text) {
              overrides.push_back({key, text});
            },
            option.help + " [" + to_json_text(option.default_value) + "]")
        ->type_name(option.type)
        ->group("Configuration (wins over the file)");
  }
}

}  // namespace cutd
