#include "core/nearest_names.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace cutd {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row.back();
}

std::vector<std::string> nearest_names(const std::string& name, std::vector<std::string> known, std::size_t most) {
  const std::string wanted = lower(name);
  const auto rank = [&](const std::string& one) {
    const std::string candidate = lower(one);
    const bool holds = candidate.find(wanted) != std::string::npos || wanted.find(candidate) != std::string::npos;
    return std::pair(!holds, edit_distance(wanted, candidate));
  };
  std::stable_sort(known.begin(), known.end(),
                   [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  if (known.size() > most) known.resize(most);
  return known;
}

}  // namespace cutd
