// Generation units: planned once, each answered whole in one transaction.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

using UnitOwner = std::variant<RoundId, EvaluationId>;

struct NewSample {
  InstructionId instruction;
  std::int64_t number = 0;  // sample number for this instruction
  std::int64_t seed = 0;
  std::vector<std::int64_t> prompt_ids;
};
using NewUnit = std::vector<NewSample>;  // in the order of generation

struct NewResponse {
  std::vector<std::int64_t> ids;
  std::string text;
  std::string finish_reason;  // stop | length
  std::string model_hash;
  std::string template_version;
  double logprob_sum = 0;
};

// Units 0, 1, ... of an owner that has none yet (Error(kConflict) otherwise), all open. Every instruction
// must be of `split`: a round takes train alone, an evaluation gate or report (Error(kConflict)).
std::vector<UnitId> plan_units(Writer& writer, UnitOwner owner, Split split, std::span<const NewUnit> units);

std::vector<Unit> list_units(Reader& reader, UnitOwner owner);       // by number
std::vector<Unit> list_open_units(Reader& reader, UnitOwner owner);  // by number
std::vector<Sample> list_samples(Reader& reader, UnitId unit);       // by position

// All responses of a unit, one per sample and in their order, and the unit is done. Error(kConflict) when it
// is done already (someone else was first: drop the result), kBadInput when the number differs.
std::vector<ResponseId> commit_unit(Writer& writer, UnitId unit, std::span<const NewResponse> responses);

std::optional<Response> find_response(Reader& reader, ResponseId id);
std::vector<Response> list_responses(Reader& reader, UnitOwner owner);  // by unit number and position

// Log-probability sums under the original model, one per response.
struct BaseLogprob {
  ResponseId response;
  double sum = 0;
};
void record_base_logprobs(Writer& writer, std::span<const BaseLogprob> logprobs);

}  // namespace cutd
