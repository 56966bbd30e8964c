#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/fault.h"
#include "core/hash.h"
#include "core/unique_fd.h"

namespace cutd {
namespace {

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    if (fault::fails("write")) throw_errno("cannot write " + path.string());
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_errno("cannot write " + path.string());
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_descriptor(int fd, const std::filesystem::path& path) {
  if (fault::fails("fsync") || ::fsync(fd) != 0) throw_errno("cannot sync " + path.string());
}

std::string read_descriptor(int fd, const std::filesystem::path& path) {
  std::string bytes;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read " + path.string());
    if (got == 0) return bytes;
    bytes.append(part.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    if (std::filesystem::is_directory(path)) throw Error(ErrorCode::kBadInput, path.string() + " is a folder");
    throw_errno("cannot open " + path.string());
  }
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad()) throw_errno("cannot read " + path.string());
  return std::move(bytes).str();
}

std::string read_file_beneath(const std::filesystem::path& folder, const std::filesystem::path& relative) {
  const std::filesystem::path path = folder / relative;
  UniqueFd at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at) throw_errno("cannot open " + folder.string());
  for (const std::filesystem::path& part : relative) {
    if (part == ".." || part.is_absolute())
      throw Error(ErrorCode::kBadInput, path.string() + " is not beneath " + folder.string());
    at = UniqueFd(::openat(at.get(), part.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (at) continue;
    if (errno == ELOOP) throw Error(ErrorCode::kBadInput, path.string() + ": " + part.string() + " is a symbolic link");
    throw_errno("cannot open " + path.string());
  }
  return read_descriptor(at.get(), path);
}

void write_file_durably(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  DurableFileWriter file(path, mode);
  file.append(bytes);
  file.commit();
}

DurableFileWriter::DurableFileWriter(std::filesystem::path path, unsigned mode)
    : path_(std::move(path)), temporary_(path_.string() + ".tmp." + std::to_string(::getpid())) {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd_ < 0) throw_errno("cannot create " + temporary_.string());
}

DurableFileWriter::~DurableFileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

DurableFileWriter::DurableFileWriter(DurableFileWriter&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::move(other.temporary_)), fd_(std::exchange(other.fd_, -1)) {}

void DurableFileWriter::append(std::string_view bytes) { write_all(fd_, bytes, temporary_); }

void DurableFileWriter::commit() {
  sync_descriptor(fd_, temporary_);
  if (fault::fails("rename") || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw_errno("cannot rename " + temporary_.string());
  }
  ::close(std::exchange(fd_, -1));
  sync_path(path_.has_parent_path() ? path_.parent_path() : ".");
}

void sync_path(const std::filesystem::path& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("cannot open " + path.string());
  sync_descriptor(file.get(), path);
}

void publish_directory(const std::filesystem::path& temporary, const std::filesystem::path& final) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(temporary)) sync_path(entry.path());
  sync_path(temporary);
  fault::point("publish.before_rename");
  // RENAME_NOREPLACE is not everywhere; the caller holds the data folder's lock, so a check suffices.
  if (std::filesystem::exists(final)) throw Error(ErrorCode::kConflict, final.string() + " exists already");
  if (fault::fails("rename") || ::rename(temporary.c_str(), final.c_str()) != 0) {
    throw_errno("cannot rename " + temporary.string() + " to " + final.string());
  }
  fault::point("publish.after_rename");
  sync_path(final.parent_path());
}

std::string hash_directory(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_symlink()) throw Error(ErrorCode::kBadInput, entry.path().string() + " is a symbolic link");
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(directory).string());
  }
  std::sort(names.begin(), names.end());
  Sha256 hash;
  for (const std::string& name : names) {
    hash.update(name + "\n" + sha256_file(directory / name) + "\n");
  }
  return hash.finish_hex();
}

std::uintmax_t free_disk_bytes(const std::filesystem::path& path) { return std::filesystem::space(path).available; }

}  // namespace cutd
