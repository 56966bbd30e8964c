#include "text/text_commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/error.h"
#include "cutd/command.h"

namespace cutd {
namespace {

struct Options {
  TextFiles files;
  TextOptions text;
};
using Work = std::size_t (*)(const TextFiles&, const TextOptions&);

CLI::App* add_text_command(CLI::App& text, const char* name, const char* help, const std::shared_ptr<Options>& options, Work work,
                           CommandAction& chosen) {
  CLI::App* command = text.add_subcommand(name, help);
  command->add_option("--model", options->files.model, "Hugging Face folder")->required();
  command->add_option("--input", options->files.input, "JSON Lines")->required();
  command->add_option("--output", options->files.output, "JSON Lines; \"-\": standard output")->required();
  command->callback([options, work, &chosen] {
    chosen = [options, work] {
      const std::size_t rows = work(options->files, options->text);
      std::fprintf(stderr, "%zu rows\n", rows);
      return static_cast<int>(kExitDone);
    };
  });
  return command;
}

}  // namespace

void add_text_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* text = app.add_subcommand("text", "Tokenizer and chat template of a model");
  text->require_subcommand(1);
  const auto encode = std::make_shared<Options>();
  add_text_command(*text, "encode", R"({"id","text"} to {"id","ids"})", encode, encode_text_file, chosen)
      ->add_flag("!--no-special-tokens", encode->text.add_special_tokens, "Do not add BOS and EOS");
  const auto decode = std::make_shared<Options>();
  add_text_command(*text, "decode", R"({"id","ids"} to {"id","text"})", decode, decode_text_file, chosen)
      ->add_flag("--skip-special-tokens", decode->text.skip_special_tokens, "Leave special tokens out");
  const auto render = std::make_shared<Options>();
  add_text_command(*text, "render", R"({"id","messages"} to {"id","text","ids"})", render, render_text_file, chosen)
      ->add_flag("--add-generation-prompt", render->text.add_generation_prompt, "End where the assistant's turn begins");
}

}  // namespace cutd
