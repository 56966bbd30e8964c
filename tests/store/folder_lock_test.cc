#include "store/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <vector>

#include "store/store_fixture.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

// A child process that holds the folder until it is killed.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& folder) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      const FolderLock lock(folder);
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    char byte = 0;
    if (::read(ready[0], &byte, 1) != 1) throw std::runtime_error("the child did not lock");
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Holder() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

TEST(FolderLockTest, RefusesASecondProcessNamingTheFirst) {
  const TemporaryDirectory folder;
  const Holder holder(folder.path());
  const std::string message = error_of(ErrorCode::kBusy, [&] { FolderLock lock(folder.path()); });
  EXPECT_THAT(message, testing::HasSubstr("process " + std::to_string(holder.pid())));
  EXPECT_THAT(message, testing::HasSubstr(folder.path().string()));
  EXPECT_TRUE(folder_is_locked(folder.path()));
}

TEST(FolderLockTest, LetsOneOfTenIn) {
  const TemporaryDirectory folder;
  std::array<int, 2> go{};
  ASSERT_EQ(::pipe(go.data()), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 10; ++i) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    ::close(go[1]);
    char byte = 0;
    [[maybe_unused]] const ssize_t start = ::read(go[0], &byte, 1);  // end of file: all are there
    try {
      const FolderLock lock(folder.path());
      ::usleep(500'000);  // longer than any of the others takes to try
      ::_exit(0);
    } catch (const Error& error) {
      ::_exit(error.code() == ErrorCode::kBusy ? kExitBusy : 1);
    }
  }
  ::close(go[0]);
  ::close(go[1]);
  std::map<int, int> exits;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    ++exits[WEXITSTATUS(status)];
  }
  EXPECT_EQ(exits, (std::map<int, int>{{0, 1}, {kExitBusy, 9}}));
}

TEST(FolderLockTest, SeesTheSameFolderBehindASymbolicLink) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "real");
  std::filesystem::create_directory_symlink(folder / "real", folder / "link");
  const Holder holder(folder / "real");
  error_of(ErrorCode::kBusy, [&] { FolderLock lock(folder / "link"); });
}

TEST(FolderLockTest, IsFreeOnceTheHolderIsKilled) {
  const TemporaryDirectory folder;
  Holder holder(folder.path());
  holder.kill();
  EXPECT_FALSE(folder_is_locked(folder.path()));
  const FolderLock lock(folder.path());
  EXPECT_TRUE(folder_is_locked(folder.path()));
}

TEST(FolderLockTest, IsNotInheritedByAProgramThatIsStarted) {
  const TemporaryDirectory folder;
  pid_t child = -1;
  {
    const FolderLock lock(folder.path());
    child = ::fork();
    if (child == 0) {
      ::execlp("sleep", "sleep", "30", nullptr);
      ::_exit(1);
    }
    // Until the exec has happened the copy holds the lock too; wait for it, at most 5 s.
    for (int i = 0; i < 500; ++i) {
      std::error_code failure;
      const auto program = std::filesystem::read_symlink("/proc/" + std::to_string(child) + "/exe", failure);
      if (!failure && program != std::filesystem::read_symlink("/proc/self/exe")) break;
      ::usleep(10'000);
    }
  }
  EXPECT_FALSE(folder_is_locked(folder.path()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace cutd
