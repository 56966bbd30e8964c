// The estimate of a configuration that lies on this machine (round/judge_estimate.h): reads its instruction files, and
// what the annotator used so far from the data folder, where there is one.
#pragma once

#include <filesystem>

#include "round/instruction_sets.h"
#include "round/judge_estimate.h"

namespace cutd {

// Errors as read_instruction_sets().
JudgeEstimate estimate_run(const RunConfig& config, const FileReader& files, const std::filesystem::path& data_dir);
JudgeEstimate estimate_run(const RunConfig& config, const std::filesystem::path& folder,
                           const std::filesystem::path& data_dir);

}  // namespace cutd
