// Files that survive a crash: write, sync, rename, sync the folder. A failed sync is never retried
// (reliability finding 6): the error is thrown and the temporary file left behind or removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace cutd {

// Whole file as bytes. Throws Error (kNotFound, kIo) naming the path.
std::string read_file(const std::filesystem::path& path);

// The same for `relative` beneath `folder`, opened part by part without following a link: what a row of the store
// names comes from that folder or not at all. Throws Error(kBadInput) too, for "..", absolute paths and links.
std::string read_file_beneath(const std::filesystem::path& folder, const std::filesystem::path& relative);

// Replaces `path` atomically and durably (temporary file beside it, fsync, rename, folder fsync).
void write_file_durably(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

// The same for content that comes in parts: `path` is untouched until commit(), and an uncommitted writer
// removes its temporary file. Movable; one thread.
class DurableFileWriter {
 public:
  explicit DurableFileWriter(std::filesystem::path path, unsigned mode = 0644);
  ~DurableFileWriter();
  DurableFileWriter(DurableFileWriter&& other) noexcept;
  DurableFileWriter& operator=(DurableFileWriter&&) = delete;

  void append(std::string_view bytes);
  void commit();  // sync, rename, sync the folder; ends the object's use

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

// fsync of an existing file or folder.
void sync_path(const std::filesystem::path& path);

// Publishes a finished folder: syncs every file in `temporary`, the folder, renames it to `final`
// (same file system; `final` must not exist) and syncs the parent. Architecture section 6.
void publish_directory(const std::filesystem::path& temporary, const std::filesystem::path& final);

// SHA-256 over the sorted (relative name, file hash) pairs of a folder: whether its files are what they were.
// Throws Error(kBadInput) naming a symbolic link in it: what that leads to may change at any time.
std::string hash_directory(const std::filesystem::path& directory);

// Free bytes for this user on the file system of `path`.
std::uintmax_t free_disk_bytes(const std::filesystem::path& path);

}  // namespace cutd
