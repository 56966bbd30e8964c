#include "store/instructions.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "core/hash.h"
#include "core/random.h"
#include "store/rows.h"

namespace cutd {
namespace {

using store_rows::instruction_of;

// Train instructions of run ?1 that no round of it has sampled.
constexpr const char* kUnused =
    "FROM run_instruction JOIN instruction ON instruction.id = run_instruction.instruction_id "
    "WHERE run_instruction.run_id = ?1 AND split = 'train' AND NOT EXISTS ("
    "  SELECT 1 FROM sample JOIN unit ON unit.id = sample.unit_id JOIN round ON round.id = unit.round_id"
    "  WHERE sample.instruction_id = instruction.id AND round.run_id = ?1)";

void add_reference(Writer& writer, const NewInstruction& instruction, const std::string& hash) {
  if (instruction.reference.empty()) return;
  Database& database = writer.database();
  database.run(
      "INSERT OR IGNORE INTO instruction_reference (instruction_id, text) SELECT id, ? FROM instruction WHERE hash = ?",
      instruction.reference, hash);
  const auto known = database.first(
      "SELECT instruction_reference.text FROM instruction_reference JOIN instruction ON id = instruction_id "
      "WHERE hash = ?",
      [](Statement& row) { return row.text(0); }, hash);
  if (known == instruction.reference) return;
  throw Error(ErrorCode::kConflict,
              "\"" + instruction.text +
                  "\" has another reference answer in this data folder, by which it may have been "
                  "judged; give the same one, or use another --data-dir");
}

void import_one(Writer& writer, const NewInstruction& instruction, Split split, const std::string& source,
                ImportCounts& counts) {
  Database& database = writer.database();
  const std::string hash = instruction_hash(instruction.text, instruction.input);
  const auto known = database.first(
      "SELECT id, split FROM instruction WHERE hash = ?",
      [](Statement& row) { return std::pair(InstructionId{row.integer(0)}, store_rows::named<Split>(row, 1)); }, hash);
  if (!known) {
    database.run("INSERT INTO instruction (hash, text, input, split, source, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                 hash, instruction.text, instruction.input, name_of(split), source, writer.now());
    ++counts.added;
  } else if (known->second == split) {
    ++counts.known;
  } else if (known->second != Split::kTrain) {
    ++counts.kept_held_out;
  } else if (database.integer("SELECT EXISTS (SELECT 1 FROM sample WHERE instruction_id = ?)", known->first)) {
    ++counts.already_trained;
  } else {
    database.run("UPDATE instruction SET split = ?, source = ? WHERE id = ?", name_of(split), source, known->first);
    ++counts.held_out;
  }
  add_reference(writer, instruction, hash);
}

// How often each instruction was used; one that is not in it never was.
using Uses = std::map<InstructionId, std::int64_t>;

// By the rounds of the runs that were made before `run` on the same base.
Uses uses_before(Reader& reader, RunId run) {
  Uses uses;
  const auto rows = reader.database().all(
      "SELECT sample.instruction_id, count(DISTINCT round.id) FROM sample JOIN unit ON unit.id = sample.unit_id "
      "JOIN round ON round.id = unit.round_id JOIN run ON run.id = round.run_id "
      "WHERE run.id < ?1 AND run.base_model_hash = (SELECT base_model_hash FROM run WHERE id = ?1) GROUP BY 1",
      [](Statement& row) { return std::pair(InstructionId{row.integer(0)}, row.integer(1)); }, run);
  uses.insert(rows.begin(), rows.end());
  return uses;
}

// The first `count`, least used first and then in the order of a seeded hash of their contents.
std::vector<Instruction> first_by_seed(std::vector<Instruction> instructions, std::int64_t count, std::int64_t seed,
                                       const Uses& uses = {}) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string, std::size_t>> order;
  order.reserve(instructions.size());
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const auto used = uses.find(instructions[i].id);
    order.emplace_back(used == uses.end() ? 0 : used->second, derive_seed(seed, instructions[i].hash),
                       instructions[i].hash, i);
  }
  std::sort(order.begin(), order.end());
  if (count >= 0 && order.size() > static_cast<std::size_t>(count)) order.resize(static_cast<std::size_t>(count));
  std::vector<Instruction> chosen;
  chosen.reserve(order.size());
  for (const auto& place : order) chosen.push_back(std::move(instructions[std::get<3>(place)]));
  return chosen;
}

}  // namespace

ImportCounts import_instructions(Writer& writer, std::span<const NewInstruction> instructions, Split split,
                                 const std::string& source) {
  ImportCounts counts;
  for (const NewInstruction& instruction : instructions) import_one(writer, instruction, split, source, counts);
  return counts;
}

std::int64_t count_instructions(Reader& reader, Split split) {
  return reader.database().integer("SELECT count(*) FROM instruction WHERE split = ?", name_of(split));
}

std::vector<Instruction> list_instructions(Reader& reader, Split split, std::int64_t limit, std::int64_t offset) {
  return reader.database().all(
      "SELECT id, hash, text, input, split, source FROM instruction WHERE split = ? ORDER BY id LIMIT ? OFFSET ?",
      [](Statement& row) { return instruction_of(row); }, name_of(split), limit, offset);
}

std::optional<Instruction> find_instruction(Reader& reader, InstructionId id) {
  return reader.database().first(
      "SELECT id, hash, text, input, split, source FROM instruction WHERE id = ?",
      [](Statement& row) { return instruction_of(row); }, id);
}

std::vector<std::string> list_instruction_hashes(Reader& reader, Split split) {
  return reader.database().all(
      "SELECT hash FROM instruction WHERE split = ? ORDER BY hash", [](Statement& row) { return row.text(0); },
      name_of(split));
}

std::vector<std::string> list_instruction_hashes(Reader& reader, RunId run) {
  return reader.database().all(
      "SELECT hash FROM run_instruction JOIN instruction ON instruction.id = run_instruction.instruction_id "
      "WHERE run_id = ? AND split = 'train' ORDER BY hash",
      [](Statement& row) { return row.text(0); }, run);
}

std::int64_t count_unused_instructions(Reader& reader, RunId run) {
  return reader.database().integer(std::string("SELECT count(*) ") + kUnused, run);
}

std::vector<Instruction> draw_instructions(Reader& reader, RunId run, std::int64_t count, std::int64_t seed,
                                           bool spare_used) {
  std::vector<Instruction> unused = reader.database().all(
      std::string("SELECT instruction.id, hash, text, input, split, source ") + kUnused,
      [](Statement& row) { return instruction_of(row); }, run);
  return first_by_seed(std::move(unused), count, seed, spare_used ? uses_before(reader, run) : Uses{});
}

std::vector<Instruction> select_held_out(Reader& reader, Split split, std::int64_t count, std::int64_t seed) {
  if (split == Split::kTrain) throw Error(ErrorCode::kInternal, "train instructions are not held out");
  return first_by_seed(list_instructions(reader, split), count, seed);
}

}  // namespace cutd
