#include "core/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "core/fault.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

// Runs `action` in a child whose environment asks for a fault; returns the child's wait status.
int run_in_child(const char* variable, const char* value, const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(variable, value, 1);
    fault::reload();
    try {
      action();
    } catch (const Error& error) {
      ::_exit(error.code() == ErrorCode::kResource ? 7 : 8);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

class FilesTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
};

TEST_F(FilesTest, ADurableWriteReplacesTheWholeFile) {
  write_file_durably(directory_ / "a", "first, longer");
  write_file_durably(directory_ / "a", "second");
  EXPECT_EQ(read_file(directory_ / "a"), "second");
}

TEST_F(FilesTest, AFullDiskLeavesTheOldFileAndNoTemporaryOne) {
  write_file_durably(directory_ / "a", "old");
  const int status = run_in_child("CUTD_FAIL_IO", "write:1", [&] { write_file_durably(directory_ / "a", "new"); });
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(read_file(directory_ / "a"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(FilesTest, AFailedSyncIsAnErrorAndLeavesTheOldFile) {
  write_file_durably(directory_ / "a", "old");
  const int status = run_in_child("CUTD_FAIL_IO", "fsync:1:EIO", [&] { write_file_durably(directory_ / "a", "new"); });
  EXPECT_EQ(WEXITSTATUS(status), 8);
  EXPECT_EQ(read_file(directory_ / "a"), "old");
}

TEST_F(FilesTest, APublishedFolderIsWholeOrAbsentAfterAKill) {
  const auto publish = [&] { publish_directory(directory_ / "temporary", directory_ / "final"); };
  for (const auto& [point, there] : {std::pair{"publish.before_rename", false}, {"publish.after_rename", true}}) {
    std::filesystem::remove_all(directory_ / "final");
    std::filesystem::create_directories(directory_ / "temporary");
    std::ofstream(directory_ / "temporary" / "x") << "weights";
    const int status = run_in_child("CUTD_CRASH_AT", point, publish);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
    EXPECT_EQ(std::filesystem::exists(directory_ / "final" / "x"), there) << point;
  }
}

TEST_F(FilesTest, PublishingRefusesToOverwrite) {
  std::filesystem::create_directories(directory_ / "temporary");
  std::filesystem::create_directories(directory_ / "final");
  EXPECT_THROW(publish_directory(directory_ / "temporary", directory_ / "final"), Error);
}

TEST_F(FilesTest, TheHashOfAFolderDependsOnNamesAndBytes) {
  std::filesystem::create_directories(directory_ / "one");
  std::ofstream(directory_ / "one" / "x") << "1";
  const std::string before = hash_directory(directory_ / "one");
  std::filesystem::rename(directory_ / "one" / "x", directory_ / "one" / "y");
  EXPECT_NE(hash_directory(directory_ / "one"), before);
}

TEST_F(FilesTest, AFolderWithALinkInItHasNoHash) {
  std::filesystem::create_directories(directory_ / "one");
  std::ofstream(directory_ / "elsewhere") << "1";
  std::filesystem::create_symlink(directory_ / "elsewhere", directory_ / "one" / "x");
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { hash_directory(directory_ / "one"); }), HasSubstr("one/x"));
}

TEST_F(FilesTest, AFileBeneathAFolderIsReadWhole) {
  const std::string bytes(200'000, 'x');
  std::filesystem::create_directories(directory_ / "replies");
  write_file_durably(directory_ / "replies" / "a", bytes);
  EXPECT_EQ(read_file_beneath(directory_.path(), "replies/a"), bytes);
}

TEST_F(FilesTest, NothingIsReadFromOutsideTheFolder) {
  std::filesystem::create_directories(directory_ / "data" / "replies");
  std::filesystem::create_directories(directory_ / "other");
  std::ofstream(directory_ / "other" / "secret") << "1";
  std::filesystem::create_symlink("../../other/secret", directory_ / "data" / "replies" / "file_link");
  std::filesystem::create_directory_symlink("../other", directory_ / "data" / "folder_link");
  const auto refused = [&](const std::filesystem::path& name) {
    return error_of(ErrorCode::kBadInput, [&] { read_file_beneath(directory_ / "data", name); });
  };
  EXPECT_THAT(refused("replies/file_link"), HasSubstr("file_link is a symbolic link"));
  EXPECT_THAT(refused("folder_link/secret"), HasSubstr("folder_link is a symbolic link"));
  EXPECT_THAT(refused("../other/secret"), HasSubstr("is not beneath"));
  EXPECT_THAT(refused(directory_ / "other" / "secret"), HasSubstr("is not beneath"));
}

TEST_F(FilesTest, AMissingFileIsNamed) {
  try {
    read_file(directory_ / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("absent"));
  }
}

}  // namespace
}  // namespace cutd
