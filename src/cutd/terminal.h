// What the program knows of the terminal behind a stream.
#pragma once

#include <cstdio>

namespace cutd {

// Columns; 0 when the stream is no terminal that can redraw a line (a file, a pipe, TERM=dumb).
int terminal_width(std::FILE* stream);

}  // namespace cutd
