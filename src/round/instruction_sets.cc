#include "round/instruction_sets.h"

#include <fmt/format.h>

#include <set>

#include "core/blanks.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"

namespace cutd {
namespace {

std::set<std::string> hashes_of(const std::vector<Instruction>& instructions) {
  std::set<std::string> hashes;
  for (const Instruction& instruction : instructions) hashes.insert(instruction.hash);
  return hashes;
}

Instruction parse_instruction(const Json& row, const std::string& origin) {
  if (!row.is_object()) throw Error(ErrorCode::kBadInput, origin + ": an instruction must be an object");
  for (const auto& [key, value] : row.items()) {
    if (key != "instruction" && key != "input" && key != "reference")
      throw Error(ErrorCode::kBadInput, origin + ": unknown key \"" + key + "\"");
  }
  Instruction instruction;
  instruction.text = json_get<std::string>(row, "instruction", origin);
  instruction.input = json_get_or<std::string>(row, "input", "", origin);
  if (is_blank(instruction.text)) throw Error(ErrorCode::kBadInput, origin + ": key \"instruction\" is empty");
  instruction.reference = json_get_or<std::string>(row, "reference", "", origin);
  if (is_blank(instruction.reference)) instruction.reference.clear();
  instruction.hash = instruction_hash(instruction.text, instruction.input);
  return instruction;
}

// `places`, where given: "file:line" of each, by hash.
std::vector<Instruction> parse_rows(std::string_view bytes, Split split, const std::string& origin,
                                    InstructionPlaces* places) {
  std::vector<Instruction> instructions;
  std::set<std::string> seen;
  parse_json_lines(bytes, origin, [&](const Json& row, const std::string& place) {
    Instruction instruction = parse_instruction(row, place);
    if (!seen.insert(instruction.hash).second)
      throw Error(ErrorCode::kBadInput, place + ": this instruction stands here twice");
    if (places != nullptr) places->emplace(instruction.hash, place);
    instruction.split = split;
    instruction.source = origin;
    instructions.push_back(std::move(instruction));
  });
  return instructions;
}

std::vector<Instruction> read_held_out(const std::string& name, std::int64_t count, Split split,
                                       const FileReader& files, InstructionPlaces& places) {
  std::vector<Instruction> set = parse_rows(files(name), split, name, &places);
  const std::string key = "data." + std::string(name_of(split));
  if (set.empty()) throw Error(ErrorCode::kUsage, key + ": " + name + " holds no instruction");
  if (static_cast<std::size_t>(count) > set.size()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{}_count asks for {} instructions, {} holds {}", key, count, name, set.size()));
  }
  return set;
}

}  // namespace

FileReader files_beside(std::filesystem::path base) {
  return [base = std::move(base)](const std::string& name) { return read_file(base / name); };
}

FileReader embedded_files(std::span<const EmbeddedFile> files) {
  return [files](const std::string& name) {
    for (const EmbeddedFile& file : files) {
      if (file.name == name) return std::string(file.bytes);
    }
    throw Error(ErrorCode::kNotFound, "no file " + name + " is built into this program");
  };
}

std::vector<Instruction> parse_instructions(std::string_view bytes, Split split, const std::string& origin) {
  return parse_rows(bytes, split, origin, nullptr);
}

InstructionSets read_instruction_sets(const DataConfig& data, const FileReader& files) {
  InstructionSets sets;
  sets.gate = read_held_out(data.gate, data.gate_count, Split::kGate, files, sets.places);
  sets.report = read_held_out(data.report, data.report_count, Split::kReport, files, sets.places);
  const std::set<std::string> gate = hashes_of(sets.gate);
  const std::set<std::string> report = hashes_of(sets.report);
  for (const Instruction& instruction : sets.gate) {
    if (!report.contains(instruction.hash)) continue;
    throw Error(ErrorCode::kUsage,
                "data.gate and data.report must be disjoint, both hold \"" + instruction.text + "\"");
  }
  for (Instruction& instruction : parse_rows(files(data.train), Split::kTrain, data.train, &sets.places)) {
    if (gate.contains(instruction.hash) || report.contains(instruction.hash)) {
      ++sets.held_out_in_train;
    } else {
      sets.train.push_back(std::move(instruction));
    }
  }
  if (sets.train.size() < static_cast<std::size_t>(data.instructions_per_round)) {
    throw Error(ErrorCode::kUsage, fmt::format("data.train: {} holds {} usable instructions, a round needs {}",
                                               data.train, sets.train.size(), data.instructions_per_round));
  }
  return sets;
}

void require_references(const InstructionSets& sets, const DataConfig& data, const std::string& who) {
  const auto require = [&](const std::vector<Instruction>& set, std::int64_t count) {
    const std::size_t used = count > 0 ? std::min(set.size(), static_cast<std::size_t>(count)) : set.size();
    for (std::size_t i = 0; i < used; ++i) {
      if (set[i].reference.empty()) refuse_without_reference(sets.places.at(set[i].hash), who);
    }
  };
  require(sets.train, 0);
  require(sets.gate, data.gate_count);
  require(sets.report, data.report_count);
}

void refuse_without_reference(const std::string& place, const std::string& who) {
  throw Error(ErrorCode::kUsage, place + ": " + who +
                                     " compares with a reference answer, and this instruction has none: give it a key "
                                     "\"reference\", or the annotator another llm.prompt");
}

}  // namespace cutd
