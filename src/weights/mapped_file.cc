#include "weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "core/error.h"

namespace cutd {
namespace {

void advise(std::span<const std::byte> part, int advice) {
  if (part.empty()) return;
  const std::uintptr_t page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(part.data()) / page * page;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(part.data()) + part.size();
  ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not block us
  if (fd < 0) throw_errno("cannot open " + path.string());
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    ::close(fd);
    throw_errno("cannot stat " + path.string());
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd);
    throw Error(ErrorCode::kBadInput, path.string() + " is not a regular file");
  }
  const std::size_t size = static_cast<std::size_t>(status.st_size);
  void* address = nullptr;
  if (size > 0) address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (address == MAP_FAILED) throw_errno("cannot map " + path.string());
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

void MappedFile::will_need(std::span<const std::byte> part) const { advise(part, MADV_WILLNEED); }
void MappedFile::done_with(std::span<const std::byte> part) const { advise(part, MADV_DONTNEED); }

}  // namespace cutd
