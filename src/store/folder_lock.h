// One daemon per data folder (reliability P9): an advisory lock on DATA/cutd.lock, released by the kernel
// when the process ends, however it ends.
#pragma once

#include <filesystem>

namespace cutd {

class FolderLock {
 public:
  // Never waits. Throws Error(kBusy) naming the folder and the process that holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

// Whether some process (this one too) holds the folder now.
bool folder_is_locked(const std::filesystem::path& folder);

}  // namespace cutd
