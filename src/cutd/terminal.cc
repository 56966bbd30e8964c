#include "cutd/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace cutd {

int terminal_width(std::FILE* stream) {
  constexpr int kUnknownWidth = 80;
  const int fd = ::fileno(stream);
  if (::isatty(fd) != 1) return 0;
  const char* kind = std::getenv("TERM");
  if (kind == nullptr || std::string_view(kind) == "dumb") return 0;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUnknownWidth;
  return size.ws_col;
}

}  // namespace cutd
