// What the query files share: values that a column holds as text, and the owner of units as two columns.
// Internal to the module.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/domain.h"
#include "store/sqlite.h"
#include "store/units.h"

namespace cutd::store_rows {

inline Json json(const Statement& row, int column) { return Json::parse(row.text(column)); }
inline std::string text_of(const Json& value) { return to_json_text(value); }

// [1,2,3] as text_of() writes it; kInternal for anything else.
std::vector<std::int64_t> ids(const Statement& row, int column);
inline std::string text_of(std::span<const std::int64_t> ids) {
  return Json(std::vector<std::int64_t>(ids.begin(), ids.end())).dump();
}

template <typename AnyId>
std::optional<AnyId> optional_id(const Statement& row, int column) {
  const std::optional<std::int64_t> value = row.optional_integer(column);
  if (!value) return std::nullopt;
  return AnyId{*value};
}

template <typename Enum>
Enum named(const Statement& row, int column) {
  return from_name<Enum>(row.text(column));
}

// Queries say "unit.round_id IS ? AND unit.evaluation_id IS ?".
struct Owner {
  explicit Owner(const UnitOwner& owner) {
    if (const auto* id = std::get_if<RoundId>(&owner)) round = *id;
    else evaluation = std::get<EvaluationId>(owner);
  }
  std::optional<RoundId> round;
  std::optional<EvaluationId> evaluation;
};

// Throws Error(kConflict) with `message` unless a compare-and-set changed exactly one row.
inline void require_one(std::int64_t changed, const std::string& message) {
  if (changed != 1) throw Error(ErrorCode::kConflict, message);
}

// Columns of an instruction (id, hash, text, input, split, source) and of a response (id, sample, unit,
// instruction, split, hash, ids, text, finish_reason, seed, model_hash, template_version, logprob_sum,
// base_logprob_sum) as structs, from column `first` on.
Instruction instruction_of(const Statement& row, int first = 0);
Response response_of(const Statement& row, int first = 0);
constexpr int kInstructionColumns = 6;

// id, model_hash, set_hash, annotator_id, decoding_hash, split, state, summary, created_at.
Evaluation evaluation_of(const Statement& row);

}  // namespace cutd::store_rows
