// Triplets (instruction, response, judgment) as files: the authors' JSON list, or the same objects as
// JSON Lines. Keys: instruction, output, judgment (null: satisfactory), and optionally id, input, score.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace cutd {

struct Triplet {
  Json id;  // as in the file; the item's position when absent
  std::string instruction;
  std::string input;
  std::string output;                   // the response
  std::optional<std::string> judgment;  // nullopt: JSON null
  std::optional<double> score;
  std::string origin;  // "iter1.json: item 3" or "x.jsonl:4", for messages

  bool positive() const;  // label_rule.h
};

// Reads all of `path`. Throws Error(kBadInput) naming file, item (or line) and key for anything that is not
// a triplet; a criticised response without judgment text is refused, since it would be a label from nothing.
std::vector<Triplet> read_triplets(const std::filesystem::path& path);

}  // namespace cutd
