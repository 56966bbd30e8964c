// --listen and its companions, the same for `serve` and `demo`.
#pragma once

#include <string>

#include "cutd/daemon.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cutd {

struct ListenFlags {
  ListenOptions given;
  CLI::Option* address = nullptr;

  // An address that was asked for must be had; the default one may be taken by another daemon.
  ListenOptions options() const;
};

// `flags` must outlive the parsing.
void add_listen_flags(CLI::App& command, ListenFlags& flags);

}  // namespace cutd
