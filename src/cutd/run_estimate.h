// The estimates of a configuration that lies on this machine (round/judge_estimate.h): reads its instruction files, and
// what its annotators used so far from the data folder, where there is one.
#pragma once

#include <filesystem>
#include <optional>

#include "round/instruction_sets.h"
#include "round/judge_estimate.h"
#include "round/run_plan.h"

namespace cutd {

// Errors as read_instruction_sets() and parse_canaries().
RunEstimate estimate_run(const RunConfig& config, const FileReader& files, const std::filesystem::path& data_dir);
RunEstimate estimate_run(const RunConfig& config, const std::filesystem::path& folder,
                         const std::filesystem::path& data_dir);

// Whether one of the annotators is asked over the network, so that the estimate is worth a look before the start.
bool asks_anyone_over_http(const RunConfig& config);

// What a plan counts beside the instructions. Answers to compare with that are not there yet (pairwise.reference) are
// taken to be as long as the model's. Errors as read_evaluator(), read_model_outputs() and parse_canaries().
PlanExtras plan_extras(const RunConfig& config, const std::filesystem::path& folder, const InstructionSets& sets,
                       const PlanAssumptions& assumed);

}  // namespace cutd
