#include "text/tokenizer_config.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/files.h"

namespace cutd {
namespace {

constexpr const char* kRoles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};

// A token is a string or an object with "content"; null or absent: none.
std::optional<std::string> token_text(const Json& config, const char* role, const std::string& origin) {
  if (!config.is_object() || !config.contains(role) || config.at(role).is_null()) return std::nullopt;
  const Json& token = config.at(role);
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object()) return json_get<std::string>(token, "content", origin + ": " + role);
  throw_json_member(origin, role, "must be a string or an object with \"content\"");
}

std::vector<AddedToken> added_tokens(const Json& config, const std::string& origin) {
  std::vector<AddedToken> tokens;
  if (!config.contains("added_tokens_decoder")) return tokens;
  const Json& decoder = config.at("added_tokens_decoder");
  if (!decoder.is_object()) throw_json_member(origin, "added_tokens_decoder", "must be an object");
  for (const auto& [key, entry] : decoder.items()) {
    const std::string where = origin + ": added_tokens_decoder." + key;
    AddedToken token;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), token.id);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size()) {
      throw_json_member(origin, "added_tokens_decoder", "has the key \"" + key + "\", which is no token id");
    }
    token.content = json_get<std::string>(entry, "content", where);
    token.special = json_get_or(entry, "special", false, where);
    token.single_word = json_get_or(entry, "single_word", false, where);
    token.lstrip = json_get_or(entry, "lstrip", false, where);
    token.rstrip = json_get_or(entry, "rstrip", false, where);
    token.normalized = json_get_or(entry, "normalized", !token.special, where);
    tokens.push_back(std::move(token));
  }
  std::sort(tokens.begin(), tokens.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return tokens;
}

// Special tokens without a role of their own: a list (also under its older name), or an object that names them.
void add_extra_special_tokens(const Json& config, const std::string& origin, TokenizerConfig& result) {
  const auto add = [&](const Json& token, const std::string& where) {
    if (!token.is_string() && !token.is_object()) throw_json_member(where, "content", "is missing");
    const std::string content =
        token.is_string() ? token.get<std::string>() : json_get<std::string>(token, "content", where);
    result.extra_special_tokens.push_back(content);
    return content;
  };
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    if (!config.contains(key) || config.at(key).is_null()) continue;
    const Json& tokens = config.at(key);
    const std::string where = origin + ": " + key;
    if (tokens.is_array()) {
      for (const Json& token : tokens) add(token, where);
    } else if (tokens.is_object()) {
      for (const auto& [name, token] : tokens.items()) result.named_tokens[name] = add(token, where);
    } else {
      throw_json_member(origin, key, "must be a list or an object");
    }
  }
}

// One template as a string, or several as [{"name", "template"} …].
std::map<std::string, std::string> chat_templates(const Json& config, const std::string& origin) {
  if (!config.contains("chat_template") || config.at("chat_template").is_null()) return {};
  const Json& value = config.at("chat_template");
  if (value.is_string()) return {{"default", value.get<std::string>()}};
  if (!value.is_array()) throw_json_member(origin, "chat_template", "must be a string or an array of named templates");
  std::map<std::string, std::string> templates;
  for (const Json& entry : value) {
    const std::string where = origin + ": chat_template";
    templates[json_get<std::string>(entry, "name", where)] = json_get<std::string>(entry, "template", where);
  }
  return templates;
}

Json read_optional_json(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? read_json_file(path) : Json::object();
}

}  // namespace

TokenizerConfig parse_tokenizer_config(const Json& config, const Json& special_tokens_map, const std::string& origin) {
  if (!config.is_object()) throw Error(ErrorCode::kBadInput, origin + ": must hold a JSON object");
  TokenizerConfig result;
  for (const char* role : kRoles) {
    std::optional<std::string> token = token_text(config, role, origin);
    if (!token) token = token_text(special_tokens_map, role, "special_tokens_map.json");
    if (token) result.named_tokens[role] = *token;
  }
  const auto named = [&](const char* role) -> std::optional<std::string> {
    const auto found = result.named_tokens.find(role);
    return found == result.named_tokens.end() ? std::nullopt : std::optional(found->second);
  };
  result.bos_token = named("bos_token");
  result.eos_token = named("eos_token");
  result.pad_token = named("pad_token");
  result.unk_token = named("unk_token");
  result.added_tokens = added_tokens(config, origin);
  add_extra_special_tokens(config, origin, result);
  for (const auto& [key, value] :
       {std::pair{"add_bos_token", &result.add_bos_token}, std::pair{"add_eos_token", &result.add_eos_token}}) {
    if (config.contains(key) && !config.at(key).is_null()) *value = json_get<bool>(config, key, origin);
  }
  result.chat_templates = chat_templates(config, origin);
  return result;
}

TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "tokenizer_config.json";
  TokenizerConfig config = parse_tokenizer_config(
      read_optional_json(file), read_optional_json(directory / "special_tokens_map.json"), file.string());
  if (const auto single = directory / "chat_template.jinja"; std::filesystem::exists(single)) {
    config.chat_templates = {{"default", read_file(single)}};
  }
  if (const auto more = directory / "additional_chat_templates"; std::filesystem::is_directory(more)) {
    for (const auto& entry : std::filesystem::directory_iterator(more)) {
      if (entry.path().extension() == ".jinja") config.chat_templates[entry.path().stem()] = read_file(entry.path());
    }
  }
  return config;
}

}  // namespace cutd
