#include "engine/child_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace cutd {
namespace {

constexpr std::array<std::string_view, 10> kAllowedNames = {
    "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "SSL_CERT_FILE", "XDG_CACHE_HOME"};
constexpr std::array<std::string_view, 16> kAllowedPrefixes = {
    "LC_",    "OMP_",  "MKL_",    "KMP_",  "GOMP_",  "CUDA_", "NVIDIA_", "NCCL_",
    "TORCH_", "CUTD_", "PYTORCH", "ASAN_", "UBSAN_", "TSAN_", "LSAN_",   "MALLOC_"};
constexpr std::array<std::string_view, 5> kSecretWords = {"KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"};

bool may_pass(std::string_view name) {
  const auto contains = [&](std::string_view word) { return name.find(word) != std::string_view::npos; };
  if (std::any_of(kSecretWords.begin(), kSecretWords.end(), contains)) return false;
  return std::find(kAllowedNames.begin(), kAllowedNames.end(), name) != kAllowedNames.end() ||
         std::any_of(kAllowedPrefixes.begin(), kAllowedPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

struct Pair {
  UniqueFd ours;
  UniqueFd theirs;
};

Pair make_socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    throw_errno("cannot make the engine's socket pair");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Pair make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw_errno("cannot make the engine's output pipe");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

struct ExecPlan {
  const char* program;
  char** arguments;
  char** environment;
  int socket;
  int output;
  int report;  // where errno goes when exec fails
  pid_t parent;
};

// Between fork and exec: async-signal-safe calls only, no allocation.
[[noreturn]] void become_engine(const ExecPlan& plan) {
  // Above the range that dup2 writes to, so that no descriptor is overwritten before it is used.
  const int socket = ::fcntl(plan.socket, F_DUPFD_CLOEXEC, 10);
  const int output = ::fcntl(plan.output, F_DUPFD_CLOEXEC, 10);
  const int report = ::fcntl(plan.report, F_DUPFD_CLOEXEC, 10);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool ready = socket >= 0 && output >= 0 && report >= 0 && null >= 0 && ::getppid() == plan.parent;
  ready = ready && ::dup2(null, 0) >= 0 && ::dup2(output, 1) >= 0 && ::dup2(output, 2) >= 0;
  ready = ready && ::dup2(socket, kEngineRpcFd) >= 0;
  // Whatever a library opened without close-on-exec must not reach the engine either.
  ::syscall(SYS_close_range, kEngineRpcFd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP}) ::signal(number, SIG_DFL);
  if (ready) ::execve(plan.program, plan.arguments, plan.environment);
  const int number = errno;
  const ssize_t ignored = ::write(report, &number, sizeof number);
  static_cast<void>(ignored);
  ::_exit(127);
}

std::string describe(int status) {
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "killed by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "ended with wait status " + std::to_string(status);
}

}  // namespace

std::vector<std::string> engine_environment(const char* const* environment, bool first_engine) {
  std::vector<std::string> result;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view name = entry.substr(0, entry.find('='));
    if (!may_pass(name) || (name == "CUTD_CRASH_AT" && !first_engine)) continue;
    result.emplace_back(entry);
  }
  return result;
}

ChildProcess::ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment) {
  Pair socket = make_socket_pair();
  Pair output = make_pipe();
  Pair report = make_pipe();
  std::vector<std::string> words = {program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argument_pointers = pointers(words);
  const std::vector<char*> environment_pointers = pointers(environment);
  const ExecPlan plan = {words[0].c_str(),
                         const_cast<char**>(argument_pointers.data()),
                         const_cast<char**>(environment_pointers.data()),
                         socket.theirs.get(),
                         output.theirs.get(),
                         report.theirs.get(),
                         ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno("cannot fork for " + words[0]);
  if (pid == 0) become_engine(plan);

  pid_ = pid;
  socket.theirs.reset();
  output.theirs.reset();
  report.theirs.reset();
  int failure = 0;
  ssize_t count = 0;
  do {  // ends at exec (close-on-exec) or with the child's errno
    count = ::read(report.ours.get(), &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    end(1000);
    throw Error(ErrorCode::kUnavailable, "cannot run the engine " + words[0] + ": " + std::strerror(failure) +
                                             "; name the program with --engine PATH");
  }
  ::fcntl(output.ours.get(), F_SETFL, O_NONBLOCK);
  socket_ = std::move(socket.ours);
  output_ = std::move(output.ours);
}

ChildProcess::~ChildProcess() { end(0); }

std::string ChildProcess::end(std::int64_t wait_ms) {
  if (!ending_.empty()) return ending_;
  int status = 0;
  constexpr int kStepMs = 5;
  pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
  for (std::int64_t waited = 0; reaped == 0 && waited < wait_ms; waited += kStepMs) {
    ::poll(nullptr, 0, kStepMs);
    reaped = ::waitpid(pid_, &status, WNOHANG);
  }
  if (reaped == 0) {
    ::kill(pid_, SIGKILL);
    do {
      reaped = ::waitpid(pid_, &status, 0);
    } while (reaped < 0 && errno == EINTR);
  }
  ending_ = reaped == pid_ ? describe(status) : "ended unseen";
  return ending_;
}

}  // namespace cutd
