// Making a run: everything is checked and looked up before the first row is written.
#pragma once

#include "core/log.h"
#include "round/frozen_run.h"
#include "round/instruction_sets.h"
#include "round/run_text.h"
#include "store/store.h"

namespace cutd {

// Imports the instructions, freezes the configuration and makes the run, in one transaction. Throws
// Error(kUsage, kBadInput, kNotFound) naming key or file; then nothing was stored.
// `cycle`: the schedule that starts it, kept with the run.
RunId start_run(Store& store, const RunConfig& config, const FileReader& files, const RunTextReader& text,
                Logger& logger, const std::optional<CycleOrigin>& cycle = {});

// Folder of a model that a configuration names: itself when it is a folder, else DATA/models/<name>.
// Error(kNotFound) that says how to import one.
std::filesystem::path find_model(const std::string& model, const std::filesystem::path& data_dir);

}  // namespace cutd
