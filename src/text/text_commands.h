// `cutd text encode|decode|render`: JSON Lines in, JSON Lines out. The command line parses flags and calls these.
//   encode  {"id","text"}     -> {"id","ids"}
//   decode  {"id","ids"}      -> {"id","text"}
//   render  {"id","messages"} -> {"id","text","ids"}
// Ids of any JSON type are echoed; output order = input order. The output appears only when all rows are done.
// Row keys of the same name as an option below win over it: "add_special_tokens", "skip_special_tokens",
// "add_generation_prompt", "tools", "documents"; in render rows "variables" holds further template variables
// and "now" the seconds since the epoch that a template's strftime_now shows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stop_token>

namespace cutd {

struct TextFiles {
  std::filesystem::path model;   // folder with tokenizer.json
  std::filesystem::path input;   // JSON Lines
  std::filesystem::path output;  // replaced atomically; "-" writes to standard output
};

struct TextOptions {
  bool add_special_tokens = true;      // encode
  bool skip_special_tokens = false;    // decode
  bool add_generation_prompt = false;  // render
  std::stop_token stop;                // Error(kCancelled) between two rows, without output
};

// Each returns the number of rows. Errors name "input:line" and the key (kBadInput), or the missing file.
std::size_t encode_text_file(const TextFiles& files, const TextOptions& options);
std::size_t decode_text_file(const TextFiles& files, const TextOptions& options);
std::size_t render_text_file(const TextFiles& files, const TextOptions& options);

}  // namespace cutd
