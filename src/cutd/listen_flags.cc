#include "cutd/listen_flags.h"

#include <CLI/CLI.hpp>

namespace cutd {

ListenOptions ListenFlags::options() const {
  ListenOptions result = given;
  result.may_be_taken = address == nullptr || address->count() == 0;
  if (result.address == "none") result.address.clear();
  check_listen_options(result);
  return result;
}

void add_listen_flags(CLI::App& command, ListenFlags& flags) {
  flags.address = command
                      .add_option("--listen", flags.given.address,
                                  "Web pages and HTTP API: ADDRESS:PORT, port 0 for a free one, or none")
                      ->capture_default_str();
  command.add_flag("--listen-beyond-loopback", flags.given.beyond_loopback,
                   "Permit an address that other machines reach, although cutd speaks no HTTPS: better use a reverse "
                   "proxy on this machine");
  command.add_option("--public-url", flags.given.public_url,
                     "Where a reverse proxy serves this daemon (https://judge.example.org): its Host is answered and "
                     "cookies are Secure");
  command.add_option(
      "--webhook-allow", flags.given.webhook_allow,
      "Address range that webhooks may reach although it is not public (10.1.0.0/16); then also by http");
}

}  // namespace cutd
