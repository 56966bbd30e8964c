#include "cutd/run_estimate.h"

#include "core/error.h"
#include "store/store.h"

namespace cutd {
namespace {

constexpr std::int64_t kLeastMeasured = 20;

// A folder that has no store yet, or one of another version, has measured nothing.
std::optional<MeasuredUse> measured(const std::filesystem::path& data_dir, const std::string& annotator) {
  try {
    return StoreReader(data_dir).read([&](Reader& reader) { return measured_use(reader, annotator, kLeastMeasured); });
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

JudgeEstimate estimate_run(const RunConfig& config, const FileReader& files, const std::filesystem::path& data_dir) {
  const InstructionSets sets = read_instruction_sets(config.data, files);
  return estimate_judging(config, instruction_figures(sets, config.data), measured(data_dir, config.annotator().name));
}

JudgeEstimate estimate_run(const RunConfig& config, const std::filesystem::path& folder,
                           const std::filesystem::path& data_dir) {
  return estimate_run(config, files_beside(folder), data_dir);
}

}  // namespace cutd
