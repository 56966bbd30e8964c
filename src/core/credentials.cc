#include "core/credentials.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "core/yaml.h"

namespace cutd {
namespace {

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// A key becomes an HTTP header: one printable word.
std::string checked(const std::string& name, const std::string& where, std::string value) {
  const bool printable =
      std::all_of(value.begin(), value.end(), [](unsigned char byte) { return byte > 0x20 && byte < 0x7f; });
  if (value.empty() || !printable) {
    throw Error(ErrorCode::kUsage, "the credential " + name + " from " + where + " is empty or no printable word");
  }
  return value;
}

void require_private(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw Error(ErrorCode::kIo, path.string() + ": cannot be read");
  if ((status.st_mode & 077) != 0 || status.st_uid != ::geteuid()) {
    throw Error(ErrorCode::kUsage,
                path.string() + " holds secrets: it must be yours alone (chmod 600 " + path.string() + ")");
  }
}

std::optional<std::string> from_file_map(const std::string& name, const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  require_private(path);
  const Json map = read_yaml_file(path);
  if (!map.is_object()) throw Error(ErrorCode::kUsage, path.string() + ": must be a map of names to keys");
  if (!map.contains(name)) return std::nullopt;
  if (!map[name].is_string()) throw Error(ErrorCode::kUsage, path.string() + ": " + name + " must be a text");
  return map[name].get<std::string>();
}

}  // namespace

std::string find_credential(const std::string& name, const std::filesystem::path& data_dir) {
  const bool safe = !name.empty() && name.find('/') == std::string::npos && name.front() != '.';
  if (!safe) throw Error(ErrorCode::kUsage, "\"" + name + "\" is no name of a credential");
  if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY")) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    if (std::filesystem::exists(path)) return checked(name, path.string(), without_line_end(read_file(path)));
  }
  const std::filesystem::path map = data_dir / "credentials.yaml";
  if (const auto value = from_file_map(name, map)) return checked(name, map.string(), *value);
  if (const char* value = std::getenv(name.c_str())) return checked(name, "the environment", value);
  throw Error(ErrorCode::kUsage, "there is no credential " + name + ": put it into " + map.string() + " (\"" + name +
                                     ": KEY\", mode 0600) or into the environment variable of that name");
}

}  // namespace cutd
