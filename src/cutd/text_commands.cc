#include "text/text_commands.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "core/signals.h"
#include "cutd/command.h"

namespace cutd {
namespace {

struct TextCommandOptions {
  TextFiles files;
  TextOptions text;
};

using Action = std::size_t (*)(const TextFiles&, const TextOptions&);

CLI::App* add_text_command(CLI::App& group, const char* name, const char* help,
                           const std::shared_ptr<TextCommandOptions>& options, Action action, CommandAction& chosen) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("--model", options->files.model, "Hugging Face folder")->required();
  command->add_option("--input", options->files.input, "JSON Lines")->required();
  command->add_option("--output", options->files.output, "JSON Lines; - for standard output")->required();
  command->callback([options, action, &chosen] {
    chosen = [options, action] {
      return run_stoppable([&](const std::stop_token& stop) {
        options->text.stop = stop;
        action(options->files, options->text);
      });
    };
  });
  return command;
}

}  // namespace

void add_text_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("text", "Tokenizer and chat template of a model");
  group->require_subcommand(1);
  const auto options = std::make_shared<TextCommandOptions>();
  CLI::App* encode =
      add_text_command(*group, "encode", "{\"id\",\"text\"} to {\"id\",\"ids\"}", options, encode_text_file, chosen);
  encode->add_flag("!--no-special-tokens", options->text.add_special_tokens, "Without the tokenizer's own BOS and EOS");
  CLI::App* decode =
      add_text_command(*group, "decode", "{\"id\",\"ids\"} to {\"id\",\"text\"}", options, decode_text_file, chosen);
  decode->add_flag("--skip-special-tokens", options->text.skip_special_tokens, "Leave control tokens out of the text");
  CLI::App* render = add_text_command(*group, "render", "{\"id\",\"messages\"} to {\"id\",\"text\",\"ids\"}", options,
                                      render_text_file, chosen);
  render->add_flag("--add-generation-prompt", options->text.add_generation_prompt, "End where the assistant begins");
}

}  // namespace cutd
