#include "fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace cutd::fuzz {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t count) { return count == 0 ? 0 : random() % count; }

// Where limits are: around zero, the ends of types, and beyond what can be multiplied.
std::uint64_t interesting(Random& random) {
  constexpr std::array<std::uint64_t, 12> kValues = {
      0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1ULL << 62U, ~0ULL >> 1U, ~0ULL};
  return kValues[below(random, kValues.size())] + below(random, 3) - 1;
}

void put_number(std::string& text, Random& random) {
  const std::uint64_t value = interesting(random);
  if (below(random, 2) == 0) {
    text.insert(below(random, text.size() + 1), std::to_string(value));
    return;
  }
  const std::size_t width = std::size_t{1} << below(random, 4);
  if (text.size() < width) return;
  std::memcpy(text.data() + below(random, text.size() - width + 1), &value, width);
}

// A piece of an input, and where pieces of text end more often than anywhere.
std::string piece(const std::string& from, Random& random) {
  const std::size_t begin = below(random, from.size() + 1);
  const std::size_t length = below(random, below(random, 8) == 0 ? from.size() + 1 : 24);
  return from.substr(begin, length);
}

std::string bad_text(Random& random) {
  static const std::vector<std::string> kTexts = {std::string(1, '\0'),
                                                  "\xFF",
                                                  "\xED\xA0\x80",
                                                  "\xF4\x90\x80\x80",
                                                  "\\ud800",
                                                  "\r\n",
                                                  "\n\n",
                                                  "\r\n\r\n",
                                                  "\r\n ",
                                                  "%00",
                                                  "%",
                                                  "..",
                                                  "/../",
                                                  "'",
                                                  "\"",
                                                  "\\",
                                                  "{",
                                                  "}",
                                                  "[[[[[[[[",
                                                  "]]]]",
                                                  ":",
                                                  ",",
                                                  "-",
                                                  "1e999",
                                                  "-0",
                                                  "NaN",
                                                  "null",
                                                  "true",
                                                  "{{",
                                                  "}}",
                                                  "{%",
                                                  "%}",
                                                  "<",
                                                  "\xE2\x80\xAE",
                                                  "*/",
                                                  "0-59",
                                                  "Perfect.",
                                                  "&*a",
                                                  "<<: *a",
                                                  "!!binary",
                                                  "- - - -",
                                                  "#",
                                                  "|",
                                                  "\t"};
  return kTexts[below(random, kTexts.size())];
}

void change(std::string& text, const std::vector<std::string>& corpus, Random& random) {
  const std::size_t at = below(random, text.size());
  switch (below(random, 9)) {
    case 0:
      if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1U << below(random, 8)));
      break;
    case 1:
      if (!text.empty()) text[at] = static_cast<char>(random());
      break;
    case 2: text.erase(at, below(random, 16) + 1); break;
    case 3: text.erase(at, below(random, text.size() + 1)); break;
    case 4: text.insert(at, piece(text, random)); break;
    case 5: text.insert(at, piece(corpus[below(random, corpus.size())], random)); break;
    case 6: text.insert(at, bad_text(random)); break;
    case 7: put_number(text, random); break;
    default: {  // many of the same
      const std::string part = below(random, 2) == 0 ? piece(text, random) : bad_text(random);
      std::string many;
      for (std::size_t count = below(random, 2'000); count > 0 && many.size() < kMostBytes / 4; --count) many += part;
      text.insert(at, many);
    }
  }
}

}  // namespace

std::string mutated(const std::vector<std::string>& corpus, Random& random) {
  std::string text = corpus[below(random, corpus.size())];
  for (std::size_t changes = 1 + below(random, 8); changes > 0; --changes) {
    change(text, corpus, random);
    text.resize(std::min(text.size(), kMostBytes));
  }
  return text;
}

}  // namespace cutd::fuzz
