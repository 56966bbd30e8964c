// Files compiled into the programs (cmake/embed.cmake): SQL migrations, the demo's configuration, the web pages.
#pragma once

#include <span>
#include <string_view>

namespace cutd {

struct EmbeddedFile {
  std::string_view name;  // relative to the embedded folder, with '/' separators
  std::string_view bytes;
};

std::span<const EmbeddedFile> embedded_store();            // schemas/sql
std::span<const EmbeddedFile> embedded_judge_client();     // schemas/judging
std::span<const EmbeddedFile> embedded_cutd();             // examples
std::span<const EmbeddedFile> embedded_server();           // web/dist
std::span<const EmbeddedFile> embedded_pairwise();         // schemas/evaluators
std::span<const EmbeddedFile> embedded_server_contract();  // schemas/openapi.yaml

}  // namespace cutd
