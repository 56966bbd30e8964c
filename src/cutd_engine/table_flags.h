// Every key of an OptionTable as a flag. A key's flag is its last name with dashes ("train.learning_rate" is
// --learning-rate); each alias adds one ("lora.lora_r" is --lora-r). "NAME.name" is --NAME (objective, template), and a
// flag that two sections would share belongs to the first one. Booleans also take no value (true) and have --no-FLAG.
// Given twice, the last one counts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/options.h"

namespace CLI {
class App;
}

namespace cutd {

// What a command line said, by key, until the table is filled: file first, then flags.
class TableFlags {
 public:
  // Declares the flags on `command`, under the heading `group` of its --help; the object must outlive the parsing.
  void declare(CLI::App& command, const OptionTable& table, const std::string& group = "Training keys, as in --config");

  // Error(kUsage) naming the flag.
  void apply(OptionTable& table) const;

 private:
  struct Given {
    std::string key, text, flag;
  };
  std::vector<Given> given_;
};

}  // namespace cutd
