// Instructions and what they may be used for.
//
// A held-out instruction (gate, report) is marked by its content hash and can never train: the draw
// leaves it out, a training sample cannot refer to it (foreign key on id and split), and its split never
// changes again (trigger). schemas/sql/0001_*.sql has the constraints.
#pragma once

#include <span>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct NewInstruction {
  std::string text;
  std::string input;
  std::string reference = "";  // a good answer; empty: none is known
};

struct ImportCounts {
  std::int64_t added = 0;
  std::int64_t known = 0;            // there already, in the same split
  std::int64_t held_out = 0;         // was train, is held out now
  std::int64_t kept_held_out = 0;    // is held out (in whatever split) and stays so
  std::int64_t already_trained = 0;  // asked to be held out, but a round has sampled it: stays train
};

// Idempotent. Importing as gate or report what is in train moves it, unless a round has used it. A reference is added
// to what is known already; Error(kConflict) naming the instruction where it has another one.
ImportCounts import_instructions(Writer& writer, std::span<const NewInstruction> instructions, Split split,
                                 const std::string& source);

std::int64_t count_instructions(Reader& reader, Split split);
std::vector<Instruction> list_instructions(Reader& reader, Split split, std::int64_t limit = -1,
                                           std::int64_t offset = 0);  // by id
std::optional<Instruction> find_instruction(Reader& reader, InstructionId id);
std::vector<std::string> list_instruction_hashes(Reader& reader, Split split);  // sorted
std::vector<std::string> list_instruction_hashes(Reader& reader, RunId run);    // what `run` may draw from, sorted

// Train instructions of `run` (NewRun::train) that none of its rounds has sampled.
std::int64_t count_unused_instructions(Reader& reader, RunId run);
// The first `count` of them (fewer when there are fewer) in the order of a hash of (seed, instruction):
// the same for the same seed and contents, whatever the order of import. `spare_used`: those that the fewest rounds of
// earlier runs of the same base sampled come first.
std::vector<Instruction> draw_instructions(Reader& reader, RunId run, std::int64_t count, std::int64_t seed,
                                           bool spare_used = false);

// The first `count` (-1: all) held-out instructions of `split` in the same kind of order.
std::vector<Instruction> select_held_out(Reader& reader, Split split, std::int64_t count, std::int64_t seed);

}  // namespace cutd
