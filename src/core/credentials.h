// Secrets by name: keys of the APIs that judge. They are read where they are used and never enter configuration, flags,
// logs, the database or a child process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace cutd {

// Looks for `name` in this order: the file $CREDENTIALS_DIRECTORY/NAME (systemd's), the flat map DATA/credentials.yaml,
// the environment. Error(kUsage) naming what to do when it is nowhere, is empty, or when the YAML file can be read by
// others (mode beyond 0600) or belongs to someone else; the value is never part of a message.
std::string find_credential(const std::string& name, const std::filesystem::path& data_dir);

}  // namespace cutd
