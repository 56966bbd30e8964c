// A whole file mapped read-only. The bytes live as long as the object; the file must not be truncated by
// others meanwhile (the kernel would kill the process with SIGBUS): published model files are never rewritten.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace cutd {

// Movable, not copyable. Reading from several threads is safe.
class MappedFile {
 public:
  // Throws Error (kNotFound, kIo, kBadInput for anything that is not a regular file) naming the path.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

  // Asks the kernel to read `part` ahead, or to forget its clean pages; hints only.
  void will_need(std::span<const std::byte> part) const;
  void done_with(std::span<const std::byte> part) const;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace cutd
