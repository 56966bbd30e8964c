#include "core/yaml.h"

#include "core/error.h"
#include "core/files.h"
#include "native/cutd_native.h"

namespace cutd {

Json parse_yaml(std::string_view text, const std::string& origin) {
  CutdBuffer buffer{};
  const int code = cutd_yaml_to_json(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &buffer);
  const std::string result(reinterpret_cast<const char*>(buffer.data), buffer.size);
  cutd_buffer_free(buffer);
  if (code != CUTD_NATIVE_OK) throw Error(ErrorCode::kUsage, origin + ": " + result);
  return parse_json(result, origin);
}

Json read_yaml_file(const std::filesystem::path& path) { return parse_yaml(read_file(path), path.string()); }

}  // namespace cutd
