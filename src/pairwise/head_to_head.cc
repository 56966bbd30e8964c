#include "pairwise/head_to_head.h"

#include <map>
#include <set>
#include <tuple>

#include "core/error.h"

namespace cutd {
namespace {

using Match = std::pair<const ModelOutput*, const ModelOutput*>;

std::vector<Match> matches_of(const std::vector<ModelOutput>& reference, const std::vector<ModelOutput>& outputs) {
  std::multimap<std::string, const ModelOutput*> by_instruction;
  for (const ModelOutput& output : outputs) by_instruction.emplace(output.instruction, &output);
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  std::vector<Match> matches;
  for (const ModelOutput& first : reference) {
    const auto [begin, end] = by_instruction.equal_range(first.instruction);
    for (auto second = begin; second != end; ++second) {
      if (seen.emplace(first.instruction, first.output, second->second->output).second)
        matches.emplace_back(&first, second->second);
    }
  }
  return matches;
}

// Keys that both sides of some pair have, and of these the ones that differ somewhere.
void compare_columns(const std::vector<Match>& matches, std::set<std::string>& shared,
                     std::set<std::string>& differing) {
  for (const auto& [first, second] : matches) {
    for (const auto& [key, value] : first->other.items()) {
      if (!second->other.contains(key)) continue;
      shared.insert(key);
      if (second->other[key] != value) differing.insert(key);
    }
  }
}

}  // namespace

std::vector<PairAnnotation> join_outputs(const std::vector<ModelOutput>& reference,
                                         const std::vector<ModelOutput>& outputs, const std::string& annotator) {
  const std::vector<Match> matches = matches_of(reference, outputs);
  if (matches.empty())
    throw Error(ErrorCode::kBadInput, "no instruction is in both the outputs and the reference outputs");
  std::set<std::string> shared;
  std::set<std::string> differing;
  compare_columns(matches, shared, differing);
  std::vector<PairAnnotation> pairs;
  for (const auto& [first, second] : matches) {
    PairAnnotation pair{first->instruction, first->output, second->output, first->generator,
                        second->generator,  annotator,     std::nullopt,   Json::object()};
    for (const auto& [key, value] : first->other.items())
      pair.other[differing.contains(key) ? key + "_1" : key] = value;
    for (const auto& [key, value] : second->other.items()) {
      if (differing.contains(key)) pair.other[key + "_2"] = value;
      else if (!shared.contains(key)) pair.other[key] = value;
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace cutd
