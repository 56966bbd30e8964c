// What Python's ast.literal_eval reads, as JSON: lists and tuples, dictionaries with text keys, texts, numbers, True,
// False and None. Models that are asked for "a valid Python dictionary" write these.
#pragma once

#include <string_view>

#include "core/json.h"

namespace cutd {

// The whole text, with blanks around it. Error(kBadInput) saying what stands where. Of equal keys the last one counts,
// as in Python. Not read: bytes, sets, complex numbers, prefixed texts, \N{…} escapes.
Json parse_python_literal(std::string_view text);

}  // namespace cutd
