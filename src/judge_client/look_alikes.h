// Characters that look like those a delimiter is written with. For comparison only: no text is changed by it.
#pragma once

namespace cutd {

// The lower-case ASCII character that `character` looks like: full-width, mathematical and circled letters, Cyrillic
// and Greek ones of the same shape, and other signs for # : < > / |. Anything else is returned as it is.
char32_t ascii_look(char32_t character);

}  // namespace cutd
