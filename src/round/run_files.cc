#include "round/run_files.h"

namespace cutd {

std::vector<RunFile> list_run_files(const RunConfig& config) {
  std::vector<RunFile> files;
  const auto add = [&](const char* key, const std::string& name) {
    if (!name.empty()) files.push_back({key, name});
  };
  add("data.train", config.data.train);
  add("data.gate", config.data.gate);
  add("data.report", config.data.report);
  for (const AnnotatorConfig& annotator : config.annotators) {
    if (annotator.kind != "human") continue;
    add("human.guidelines_file", annotator.human.guidelines_file);
    add("human.gold", annotator.human.gold);
  }
  add("alarms.canaries", config.alarms.canaries);
  return files;
}

}  // namespace cutd
