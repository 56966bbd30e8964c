// One example of training or evaluation data, whatever file format it came from: the value between reading one format
// and writing another.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "evaluation/alpaca_eval.h"

namespace cutd {

struct DataRecord {
  Json id;                                                   // null: none
  std::string system;                                        // may be empty
  std::vector<std::pair<std::string, std::string>> history;  // earlier turns: what was said, what was answered
  std::string instruction;
  std::string input;                  // formats without it have it after the instruction, behind a line feed
  std::optional<std::string> output;  // the response; of a preference pair the chosen one
  std::optional<std::string> rejected;
  std::optional<bool> label;  // whether the output is wanted
  bool judged = false;        // then: `judgment`, nullopt for a satisfactory output
  std::optional<std::string> judgment;
  std::optional<double> score;
  std::string generator;                     // the model that wrote the output; may be empty
  std::optional<PairAnnotation> annotation;  // of an AlpacaEval annotation: all of it, as it stood
  std::string origin;                        // "data.json: record 3" or "data.jsonl:4", for messages

  // Instruction, and input behind a line feed where there is one.
  std::string prompt() const { return input.empty() ? instruction : instruction + "\n" + input; }
};

}  // namespace cutd
