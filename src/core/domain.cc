#include "core/domain.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/hash.h"

namespace cutd {
namespace {

template <typename Enum>
struct NameTable;  // `what` for messages and `names`, in the order of the enumerators

template <>
struct NameTable<Split> {
  static constexpr std::string_view what = "split";
  static constexpr std::array<std::string_view, 3> names = {"train", "gate", "report"};
};
template <>
struct NameTable<Phase> {
  static constexpr std::string_view what = "phase";
  static constexpr std::array<std::string_view, 9> names = {
      "created", "generating", "judging", "training", "evaluating", "paused", "completed", "failed", "cancelled"};
};
template <>
struct NameTable<Outcome> {
  static constexpr std::string_view what = "outcome";
  static constexpr std::array<std::string_view, 2> names = {"promoted", "rejected"};
};
template <>
struct NameTable<RunState> {
  static constexpr std::string_view what = "run state";
  static constexpr std::array<std::string_view, 5> names = {"active", "paused", "completed", "failed", "cancelled"};
};
template <>
struct NameTable<UnitState> {
  static constexpr std::string_view what = "unit state";
  static constexpr std::array<std::string_view, 2> names = {"open", "done"};
};
template <>
struct NameTable<JudgmentState> {
  static constexpr std::string_view what = "judgment state";
  static constexpr std::array<std::string_view, 3> names = {"pending", "done", "failed"};
};
template <>
struct NameTable<JudgmentLabel> {
  static constexpr std::string_view what = "label";
  static constexpr std::array<std::string_view, 2> names = {"positive", "negative"};
};
template <>
struct NameTable<AdapterKind> {
  static constexpr std::string_view what = "adapter kind";
  static constexpr std::array<std::string_view, 2> names = {"delta", "cumulative"};
};
template <>
struct NameTable<AdapterState> {
  static constexpr std::string_view what = "adapter state";
  static constexpr std::array<std::string_view, 2> names = {"verified", "quarantined"};
};
template <>
struct NameTable<EvaluationState> {
  static constexpr std::string_view what = "evaluation state";
  static constexpr std::array<std::string_view, 2> names = {"open", "done"};
};
template <>
struct NameTable<Role> {
  static constexpr std::string_view what = "role";
  static constexpr std::array<std::string_view, 3> names = {"operator", "annotator", "viewer"};
};

template <typename Enum>
std::string_view lookup(Enum value) {
  return NameTable<Enum>::names.at(static_cast<std::size_t>(value));
}

}  // namespace

bool is_active(Phase phase) { return phase <= Phase::kEvaluating; }

bool is_final(Phase phase) { return phase == Phase::kCompleted || phase == Phase::kCancelled; }

std::string_view name_of(Split value) { return lookup(value); }
std::string_view name_of(Phase value) { return lookup(value); }
std::string_view name_of(Outcome value) { return lookup(value); }
std::string_view name_of(RunState value) { return lookup(value); }
std::string_view name_of(UnitState value) { return lookup(value); }
std::string_view name_of(JudgmentState value) { return lookup(value); }
std::string_view name_of(JudgmentLabel value) { return lookup(value); }
std::string_view name_of(AdapterKind value) { return lookup(value); }
std::string_view name_of(AdapterState value) { return lookup(value); }
std::string_view name_of(EvaluationState value) { return lookup(value); }
std::string_view name_of(Role value) { return lookup(value); }

template <typename Enum>
Enum from_name(std::string_view name) {
  const auto& names = NameTable<Enum>::names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw Error(ErrorCode::kBadInput, "'" + std::string(name) + "' is no " + std::string(NameTable<Enum>::what));
  }
  return static_cast<Enum>(found - names.begin());
}

template Split from_name<Split>(std::string_view);
template Role from_name<Role>(std::string_view);
template Phase from_name<Phase>(std::string_view);
template Outcome from_name<Outcome>(std::string_view);
template RunState from_name<RunState>(std::string_view);
template UnitState from_name<UnitState>(std::string_view);
template JudgmentState from_name<JudgmentState>(std::string_view);
template JudgmentLabel from_name<JudgmentLabel>(std::string_view);
template AdapterKind from_name<AdapterKind>(std::string_view);
template AdapterState from_name<AdapterState>(std::string_view);
template EvaluationState from_name<EvaluationState>(std::string_view);

std::string response_hash(std::span<const std::int64_t> ids) {
  std::string text = "[";
  for (const std::int64_t id : ids) {
    if (text.size() > 1) text += ',';
    text += std::to_string(id);
  }
  return sha256_hex(text + "]");
}

std::string judgment_hash(std::string_view text) { return sha256_hex(text); }

std::string instruction_set_hash(std::vector<std::string> instruction_hashes) {
  std::sort(instruction_hashes.begin(), instruction_hashes.end());
  Sha256 hash;
  for (const std::string& one : instruction_hashes) hash.update(one + "\n");
  return hash.finish_hex();
}

}  // namespace cutd
