// Generation units of rounds and evaluations: planned once, generated whole, committed whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "round/work_context.h"
#include "store/units.h"

namespace cutd {

// Units of at most `unit_prompts` prompts, in the order of `instructions`, with `samples` responses each.
// A prompt's seed depends on `label` ("round 3", "evaluation"), instruction and sample alone.
std::vector<NewUnit> make_units(const std::vector<Instruction>& instructions, std::int64_t samples,
                                const GenerationConfig& generation, const RunText& text, const std::string& label);

// Generates one open unit of `owner` with `model` and commits its responses together with their pending
// judgments. Throws the engine's errors; Error(kBadInput) when its answer does not fit the request.
void generate_unit(WorkContext& context, UnitOwner owner, UnitId unit, const ModelReference& model,
                   const std::string& activity);

}  // namespace cutd
