// The folder that a training leaves: PEFT files, and training.json, which says what it was made from.
#pragma once

#include <filesystem>
#include <optional>

#include "core/json.h"
#include "trainer/trainer.h"
#include "weights/peft.h"

namespace cutd {

// Error(kConflict) when `output` exists and is not to be gone on with, or is no training's.
void refuse_foreign_output(const std::filesystem::path& output, bool resume);

// The result that `output` holds when it is this work done for at least `last_step` steps. Error(kConflict), saying
// what differs, when it is other work; nothing when there is no output or it stopped earlier.
std::optional<TrainingResult> find_finished_output(const std::filesystem::path& output, const Json& work,
                                                   std::int64_t last_step);

// Writes beside `output` and publishes durably; an earlier state of the same work is replaced.
void publish_output(const std::filesystem::path& output, const PeftAdapter& adapter, const Json& work,
                    const TrainingResult& result);

}  // namespace cutd
