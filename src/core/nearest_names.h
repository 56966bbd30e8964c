// What a person may have meant who wrote a name that there is not. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cutd {

// Levenshtein's, in bytes.
std::size_t edit_distance(const std::string& a, const std::string& b);

// At most `most` of `known`, nearest first: those that hold `name`, or are held by it, before those that are spelt
// alike; case does not count.
std::vector<std::string> nearest_names(const std::string& name, std::vector<std::string> known, std::size_t most);

}  // namespace cutd
