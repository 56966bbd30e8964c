// Every configuration key once: name, target, help, check. The YAML file, the flag of the same name,
// --help and the printed effective configuration all derive from one OptionTable.
//
//   TrainConfig config;
//   OptionTable table;
//   declare_train_options(table, config);
//   table.load(read_yaml_file("train.yaml"), "train.yaml");   // strict: unknown keys are errors
//   table.set_text("train.learning_rate", "1e-3", "--learning-rate");
//
// The table holds pointers into the structs it was given: they must outlive it. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/json.h"

namespace cutd {

struct Option {
  std::string key;                   // nested name: "train.learning_rate"
  std::vector<std::string> aliases;  // nested names accepted instead
  std::string help;
  std::string type;  // "number", "integer", "boolean", "text", "list"
  Json default_value;
  std::function<void(const Json&)> set;  // throws nlohmann's or cutd's error on a wrong type
  std::function<Json()> get;
  std::function<std::string()> check;  // why the current value is not allowed; empty when it is
  std::string flag() const;            // "--learning-rate": last name, with dashes
};

class OptionTable {
 public:
  // Declares `key` with the target's present value as default. `check` returns a reason or "".
  template <typename T>
  OptionTable& add(const std::string& key, T* target, const std::string& help,
                   std::function<std::string(const T&)> check = {}, std::vector<std::string> aliases = {});

  // Sets every key of the nested object `values`. Throws Error(kUsage) naming origin and key for an
  // unknown key (with the nearest known one), a wrong type or a refused value.
  void load(const Json& values, const std::string& origin);

  // One key from a flag's text; numbers, booleans and lists (comma separated) are converted.
  void set_text(const std::string& key, const std::string& text, const std::string& origin);

  // The effective configuration as a nested object.
  Json effective() const;

  const std::vector<Option>& options() const { return options_; }

 private:
  Option& find(const std::string& key, const std::string& origin);
  void assign(Option& option, const Json& value, const std::string& origin);

  std::vector<Option> options_;
};

// Reasons for use as checks.
std::function<std::string(const double&)> in_range(double low, double high);
std::function<std::string(const std::int64_t&)> at_least(std::int64_t low);
std::function<std::string(const std::string&)> one_of(std::vector<std::string> allowed);

template <typename T>
OptionTable& OptionTable::add(const std::string& key, T* target, const std::string& help,
                              std::function<std::string(const T&)> check, std::vector<std::string> aliases) {
  Option option;
  option.key = key;
  option.aliases = std::move(aliases);
  option.help = help;
  if constexpr (std::is_same_v<T, bool>) option.type = "boolean";
  else if constexpr (std::is_integral_v<T>) option.type = "integer";
  else if constexpr (std::is_floating_point_v<T>) option.type = "number";
  else if constexpr (std::is_same_v<T, std::string>) option.type = "text";
  else option.type = "list";
  option.default_value = *target;
  option.set = [target](const Json& value) { *target = value.get<T>(); };
  option.get = [target] { return Json(*target); };
  option.check = [target, check] { return check ? check(*target) : std::string(); };
  options_.push_back(std::move(option));
  return *this;
}

}  // namespace cutd
