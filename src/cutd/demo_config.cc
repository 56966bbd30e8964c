#include "cutd/demo_config.h"

#include <filesystem>

#include "core/embedded.h"
#include "core/error.h"
#include "core/yaml.h"

namespace cutd {
namespace {

std::string embedded_text(const std::string& name) {
  for (const EmbeddedFile& file : embedded_cutd()) {
    if (file.name == name) return std::string(file.bytes);
  }
  throw Error(ErrorCode::kInternal, "this build has no " + name);
}

}  // namespace

DemoConfig read_demo_config(const std::string& path, bool quick, const std::vector<ConfigOverride>& overrides) {
  if (!path.empty() && quick) {
    throw Error(ErrorCode::kUsage,
                "--quick chooses a shipped configuration and --config another one: give only one of them");
  }
  if (!path.empty()) {
    const auto folder = std::filesystem::absolute(path).parent_path();
    return {path, parse_run_config(read_yaml_file(path), path, overrides), files_beside(folder)};
  }
  const std::string name = quick ? "demo-quick.yaml" : "demo.yaml";
  return {name, parse_run_config(parse_yaml(embedded_text(name), name), name, overrides),
          embedded_files(embedded_cutd())};
}

}  // namespace cutd
