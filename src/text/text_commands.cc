#include "text/text_commands.h"

#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/signals.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace cutd {
namespace {

// `row` fills the answer, whose "id" is already there; `where` is "file:line".
using FillRow = std::function<void(const Json& row, const std::string& where, Json& answer)>;

// The library's own conversion would round 1.5 to a token id.
std::vector<TokenId> ids_of(const Json& row, const std::string& where) {
  const Json ids = json_get<Json>(row, "ids", where);
  if (!ids.is_array()) throw_json_member(where, "ids", "must be an array");
  for (const Json& id : ids) {
    if (!id.is_number_integer()) throw_json_member(where, "ids", "must hold integers");
  }
  return ids.get<std::vector<TokenId>>();
}

std::size_t transform(const TextFiles& files, const TextOptions& options, const FillRow& row) {
  std::string output;
  std::size_t rows = 0;
  read_json_lines(files.input, [&](const Json& value, std::size_t line) {
    throw_if_stopped(options.stop, "reading rows");
    const std::string where = files.input.string() + ":" + std::to_string(line);
    if (!value.is_object()) throw Error(ErrorCode::kBadInput, where + ": must be a JSON object");
    if (!value.contains("id")) throw_json_member(where, "id", "is missing");
    Json answer = {{"id", value.at("id")}};
    try {
      row(value, where, answer);
    } catch (const Error& error) {
      const std::string message = error.what();
      throw Error(error.code(), message.starts_with(where) ? message : where + ": " + message);
    }
    output += to_json_text(answer) + "\n";
    ++rows;
  });
  if (files.output == "-") {
    std::cout << output << std::flush;
  } else {
    write_file_durably(files.output, output);
  }
  return rows;
}

}  // namespace

std::size_t encode_text_file(const TextFiles& files, const TextOptions& options) {
  const Tokenizer tokenizer = Tokenizer::from_directory(files.model);
  return transform(files, options, [&](const Json& row, const std::string& where, Json& answer) {
    const bool special = json_get_or(row, "add_special_tokens", options.add_special_tokens, where);
    answer["ids"] = tokenizer.encode(json_get<std::string>(row, "text", where), special);
  });
}

std::size_t decode_text_file(const TextFiles& files, const TextOptions& options) {
  const Tokenizer tokenizer = Tokenizer::from_directory(files.model);
  return transform(files, options, [&](const Json& row, const std::string& where, Json& answer) {
    const bool skip = json_get_or(row, "skip_special_tokens", options.skip_special_tokens, where);
    answer["text"] = tokenizer.decode(ids_of(row, where), skip);
  });
}

std::size_t render_text_file(const TextFiles& files, const TextOptions& options) {
  const Tokenizer tokenizer = Tokenizer::from_directory(files.model);
  const ChatTemplate chat_template = ChatTemplate::from_directory(files.model);
  return transform(files, options, [&](const Json& row, const std::string& where, Json& answer) {
    ChatOptions chat_options;
    chat_options.add_generation_prompt =
        json_get_or(row, "add_generation_prompt", options.add_generation_prompt, where);
    chat_options.tools = json_get_or(row, "tools", Json(), where);
    chat_options.documents = json_get_or(row, "documents", Json(), where);
    chat_options.variables = json_get_or(row, "variables", Json(Json::object()), where);
    if (row.contains("now")) chat_options.now = json_get<std::int64_t>(row, "now", where);
    const RenderedChat chat =
        encode_chat(tokenizer, chat_template, json_get<Json>(row, "messages", where), chat_options);
    answer["text"] = chat.text;
    answer["ids"] = chat.ids;
  });
}

}  // namespace cutd
