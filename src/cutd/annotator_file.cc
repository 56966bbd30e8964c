#include "cutd/annotator_file.h"

#include "core/error.h"
#include "core/yaml.h"

namespace cutd {

std::vector<AnnotatorConfig> read_annotator_file(const std::string& path) {
  const Json file = read_yaml_file(path);
  std::vector<AnnotatorConfig> annotators;
  if (file.is_object() && file.contains("kind")) {
    annotators.push_back(parse_annotator(file, path));
    return annotators;
  }
  const Json list = json_get_or<Json>(file, "annotators", Json::array(), path);
  if (!list.is_array()) throw Error(ErrorCode::kUsage, path + ": key \"annotators\" must be a list");
  for (std::size_t i = 0; i < list.size(); ++i) {
    annotators.push_back(parse_annotator(list[i], path + ": annotators[" + std::to_string(i) + "]"));
  }
  if (annotators.empty()) annotators.emplace_back();  // what a run without the key has
  return annotators;
}

AnnotatorConfig choose_annotator(const std::vector<AnnotatorConfig>& annotators, const std::string& name,
                                 const std::string& path) {
  if (name.empty()) return annotators.front();
  std::string known;
  for (const AnnotatorConfig& annotator : annotators) {
    if (annotator.name == name) return annotator;
    known += (known.empty() ? "" : ", ") + annotator.name;
  }
  throw Error(ErrorCode::kUsage, path + ": there is no annotator \"" + name + "\" (there is " + known + ")");
}

}  // namespace cutd
