#include "store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "core/error.h"

namespace cutd {
namespace {

std::filesystem::path lock_path(const std::filesystem::path& folder) { return folder / "cutd.lock"; }

std::string holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size() - 1, 0);
  const std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return pid.empty() ? "its process is starting" : "process " + pid;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::filesystem::path path = lock_path(folder);
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) throw_errno("cannot open " + path.string());
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int number = errno;
    const std::string who = holder(fd_);
    ::close(fd_);
    errno = number;
    if (number != EWOULDBLOCK) throw_errno("cannot lock " + path.string());
    throw Error(ErrorCode::kBusy, "another cutd works in " + folder.string() + " (" + who +
                                      "). Stop it first, or use another --data-dir.");
  }
  // Who holds it, for people; the lock itself is the truth.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
    const int number = errno;
    ::close(fd_);
    errno = number;
    throw_errno("cannot write " + path.string());
  }
}

FolderLock::~FolderLock() { ::close(fd_); }

bool folder_is_locked(const std::filesystem::path& folder) {
  const int fd = ::open(lock_path(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  return locked;
}

}  // namespace cutd
