#include "trainer/training_output.h"

#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "trainer/checkpoint.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTrainingFormat = "cutd-training/1";
constexpr const char* kRecordFile = "training.json";

// Nothing about when, where and how fast: equal work gives equal bytes.
Json record_json(const Json& work, const TrainingResult& result) {
  return {{"format", kTrainingFormat},
          {"steps", result.steps},
          {"complete", result.complete},
          {"final_loss", result.final_loss},
          {"work", work}};
}

}  // namespace

void refuse_foreign_output(const fs::path& output, bool resume) {
  if (!fs::exists(output)) return;
  if (!resume) {
    throw Error(ErrorCode::kConflict,
                output.string() + " exists: choose another output, remove it, or go on with its training (--resume)");
  }
  if (!fs::exists(output / kRecordFile)) {
    throw Error(ErrorCode::kConflict,
                output.string() + " exists and is no training's output (no " + kRecordFile + "): choose another");
  }
}

std::optional<TrainingResult> find_finished_output(const fs::path& output, const Json& work, std::int64_t last_step) {
  if (!fs::exists(output)) return std::nullopt;
  const Json record = read_json_file(output / kRecordFile);
  const std::string origin = (output / kRecordFile).string();
  if (const std::string other = describe_differences(json_get<Json>(record, "work", origin), work); !other.empty()) {
    throw Error(ErrorCode::kConflict,
                output.string() + " was trained otherwise: it differs in " + other + ": choose another output");
  }
  TrainingResult result;
  result.steps = json_get<std::int64_t>(record, "steps", origin);
  if (result.steps < last_step) return std::nullopt;
  result.complete = json_get<bool>(record, "complete", origin);
  result.final_loss = json_get<double>(record, "final_loss", origin);
  result.already_there = true;
  result.resumed_from_step = result.steps;
  return result;
}

void publish_output(const fs::path& output, const PeftAdapter& adapter, const Json& work,
                    const TrainingResult& result) {
  const fs::path folder = fs::absolute(output).lexically_normal();
  const fs::path final = folder.has_filename() ? folder : folder.parent_path();
  const fs::path temporary = final.string() + ".writing";
  fs::remove_all(temporary);
  fs::create_directories(temporary);
  write_adapter(temporary, adapter);
  write_file_durably(temporary / kRecordFile, to_json_text(record_json(work, result), 1) + "\n");
  if (!fs::exists(final)) return publish_directory(temporary, final);
  const fs::path replaced = final.string() + ".replaced";
  fs::remove_all(replaced);
  fs::rename(final, replaced);
  publish_directory(temporary, final);
  fs::remove_all(replaced);
}

}  // namespace cutd
