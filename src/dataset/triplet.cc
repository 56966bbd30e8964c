#include "dataset/triplet.h"

#include <cmath>

#include "core/blanks.h"
#include "core/error.h"
#include "core/files.h"
#include "dataset/label_rule.h"

namespace cutd {
namespace {

Triplet parse_triplet(const Json& item, std::size_t position, const std::string& origin) {
  if (!item.is_object())
    throw Error(ErrorCode::kBadInput, origin + ": a triplet must be an object, not " + item.type_name());
  Triplet triplet;
  triplet.origin = origin;
  triplet.id = item.contains("id") ? item.at("id") : Json(position);
  triplet.instruction = json_get<std::string>(item, "instruction", origin);
  triplet.input = json_get_or<std::string>(item, "input", "", origin);
  triplet.output = json_get<std::string>(item, "output", origin);
  if (!item.contains("judgment")) throw_json_member(origin, "judgment", "is missing (null means satisfactory)");
  if (!item.at("judgment").is_null()) triplet.judgment = json_get<std::string>(item, "judgment", origin);
  if (item.contains("score") && !item.at("score").is_null()) {
    triplet.score = json_get<double>(item, "score", origin);
    if (!std::isfinite(*triplet.score)) throw_json_member(origin, "score", "must be finite");
  }
  if (triplet.instruction.empty() && triplet.input.empty()) throw_json_member(origin, "instruction", "is empty");
  if (!triplet.positive() && is_blank(*triplet.judgment)) {
    throw_json_member(origin, "judgment", "is empty: say what is wrong, or null for a satisfactory response");
  }
  return triplet;
}

bool starts_with_list(const std::string& text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first != std::string::npos && text[first] == '[';
}

}  // namespace

bool Triplet::positive() const { return is_positive(judgment, score); }

std::vector<Triplet> read_triplets(const std::filesystem::path& path) {
  std::vector<Triplet> triplets;
  const std::string text = read_file(path);
  if (starts_with_list(text)) {
    const Json list = parse_json(text, path.string());
    for (std::size_t i = 0; i < list.size(); ++i) {
      triplets.push_back(parse_triplet(list[i], i, path.string() + ": item " + std::to_string(i)));
    }
  } else {
    read_json_lines(path, [&](const Json& item, std::size_t line) {
      triplets.push_back(parse_triplet(item, triplets.size(), path.string() + ":" + std::to_string(line)));
    });
  }
  if (triplets.empty()) throw Error(ErrorCode::kBadInput, path.string() + ": holds no triplets");
  return triplets;
}

}  // namespace cutd
