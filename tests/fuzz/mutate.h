// Inputs made of other inputs: what parsers fear, at random but the same for the same seed.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace cutd::fuzz {

constexpr std::size_t kMostBytes = 64 << 10;

// One of `corpus` after one to eight changes.
std::string mutated(const std::vector<std::string>& corpus, std::mt19937_64& random);

}  // namespace cutd::fuzz
