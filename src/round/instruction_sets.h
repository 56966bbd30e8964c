// The instruction files of a run, read and checked before anything is stored.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/domain.h"
#include "round/run_config.h"

namespace cutd {

// Bytes of a file named in a configuration; so that files may lie on disk or inside the program.
using FileReader = std::function<std::string(const std::string& name)>;

// Names are relative to `base` (the configuration's folder); absolute ones stay.
FileReader files_beside(std::filesystem::path base);

// Files embedded in the cutd program (core/embedded.h), by their name under examples/.
struct EmbeddedFile;
FileReader embedded_files(std::span<const EmbeddedFile> files);

// JSON Lines of {"instruction": text, "input"?: text, "reference"?: text}, the last one a good answer, for judges that
// compare with one. Throws Error(kBadInput) naming `origin` and the line
// for a broken line, another key, an empty instruction or the same instruction twice.
std::vector<Instruction> parse_instructions(std::string_view bytes, Split split, const std::string& origin);

using InstructionPlaces = std::map<std::string, std::string>;

// The files whole: what lies beyond data.gate_count and data.report_count is held out as well.
struct InstructionSets {
  std::vector<Instruction> train;  // without any that is held out
  std::vector<Instruction> gate;   // file order; a run reads the first data.gate_count
  std::vector<Instruction> report;
  std::size_t held_out_in_train = 0;  // dropped from `train` because they are held out
  InstructionPlaces places;           // "file:line" by hash; of a held-out one that of its own set
};

// Throws as parse_instructions; Error(kUsage) naming the key when a held-out set is empty or holds fewer than
// its count asks for, gate and report overlap, or the training set is too small for one round.
InstructionSets read_instruction_sets(const DataConfig& data, const FileReader& files);

// What the run will ask about must have a reference answer where `who` ("annotator critic") compares with one.
// Error(kUsage) naming the file and line that has none.
void require_references(const InstructionSets& sets, const DataConfig& data, const std::string& who);
[[noreturn]] void refuse_without_reference(const std::string& place, const std::string& who);

}  // namespace cutd
