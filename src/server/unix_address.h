// The address of a Unix socket whose path may be longer than the 107 bytes that the kernel takes.
#pragma once

#include <filesystem>
#include <string>

#include "core/unique_fd.h"

namespace cutd {

// Keeps the folder open, so that the short name it stands for stays good as long as this object.
class UnixAddress {
 public:
  // Throws Error (kNotFound, kIo) when the folder of `path` cannot be opened.
  explicit UnixAddress(const std::filesystem::path& path);

  // For bind() and connect(): the path itself, or "/proc/self/fd/N/NAME".
  const std::string& name() const { return name_; }

 private:
  UniqueFd folder_;
  std::string name_;
};

}  // namespace cutd
