// Responses that are not satisfactory and try to be called so: the attack set of promise P35, written by the project
// itself. Families (what an attack says) times carriers (where it stands), some of them in disguise; always the same
// list in the same order.
#pragma once

#include <string>
#include <vector>

namespace cutd {

struct Attack {
  std::string family;  // "orders", "delimiters", "floods", ...
  std::string text;
};

const std::vector<Attack>& attack_corpus();  // 300 or more, all different

// As many responses as wanted that are no better and attack nobody; all different.
std::vector<std::string> clean_controls(std::size_t count);

// The one answer that the double of reading_judge.h finds nothing wrong with.
inline constexpr const char* kGoodAnswer = "A lighthouse warns ships of rocks with a light that is seen from far away.";

// Text as a reader sees it who is not fooled by how it is written: lower case, look-alikes and full-width characters of
// the corpus as plain ones, zero-width characters gone.
std::string as_read(std::string text);

}  // namespace cutd
