// cutd: the daemon and its command line. Each command group lives in its own file; see command.h.
#include "core/program.h"
#include "cutd/command_line.h"

int main(int argc, char** argv) {
  return cutd::run_reporting_errors("cutd", [&] { return cutd::run_command_line({argv, argv + argc}); });
}
