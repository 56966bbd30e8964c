// Promise P1 by the counter method: a whole run is killed (kill -9 of a child process) at its k-th passage of any
// crash point, for every k, and goes on to the very result of an undisturbed run; then the same with a second
// kill during the recovery, and once by name for every point of the sources.
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <random>
#include <regex>
#include <set>

#include "core/fault.h"
#include "core/files.h"
#include "core/sanitized.h"
#include "round/round_fixture.h"
#include "round/run_start.h"
#include "support/folders.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::IsEmpty;

// Every passage is done in the release build; instrumented, a run costs ten times as much.
constexpr long kPassageStride = kSanitized ? 37 : 1;
constexpr int kPairs = kSanitized ? 3 : 60;
constexpr std::size_t kNameStride = kSanitized ? 4 : 1;

RunOutcome run_to_end(const std::filesystem::path& folder, const RunFiles& files) {
  const HandClock clock;
  NullLogger log;
  ScriptedEngine engine;
  OneDaemon daemon(folder / "data", engine, clock, log);
  const auto runs = daemon.read([](Reader& reader) { return list_runs(reader); });
  const RunId run =
      runs.empty() ? start_run(daemon.store, files.config(), files.reader(), scripted_text, log) : runs[0].id;
  EXPECT_EQ(daemon.work(run), RunState::kCompleted);
  EXPECT_THAT(daemon.check(), IsEmpty());
  return daemon.outcome(run);
}

class CrashTest : public testing::Test {
 protected:
  CrashTest() : files_(folder_.path()) {}

  // A daemon that is killed at `where` (CUTD_CRASH_AT); false when it reached the run's end instead.
  bool is_killed(const std::string& where) {
    std::cout.flush();
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("CUTD_CRASH_AT", where.c_str(), 1);
      fault::reload();
      try {
        run_to_end(folder_.path(), files_);
      } catch (const std::exception& error) {
        std::cerr << where << ": " << error.what() << std::endl;
        ::_exit(1);
      }
      ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << where;
    return WIFSIGNALED(status);
  }
  void expect_undisturbed(const std::string& what) {
    EXPECT_EQ(run_to_end(folder_.path(), files_), undisturbed()) << what;
  }
  void start_afresh() { std::filesystem::remove_all(folder_ / "data"); }

  const TemporaryDirectory folder_{fast_folder()};
  RunFiles files_;
};

TEST_F(CrashTest, AKillAtAnyPassageChangesNothing) {
  long passage = 1;
  for (;; passage += kPassageStride) {
    ASSERT_LT(passage, 5000);
    start_afresh();
    const std::string where = "*:" + std::to_string(passage);
    const bool killed = is_killed(where);
    expect_undisturbed(where);
    if (!killed || HasFailure()) break;
  }
  EXPECT_GT(passage, 100);
  std::cout << "killed at passages 1 to " << passage << " in steps of " << kPassageStride << "\n";
}

TEST_F(CrashTest, ASecondKillDuringTheRecoveryChangesNothing) {
  std::mt19937 random(20261125);
  for (int pair = 0; pair < kPairs && !HasFailure(); ++pair) {
    start_afresh();
    const std::string first = "*:" + std::to_string(1 + random() % 200);
    const std::string second = "*:" + std::to_string(1 + random() % 60);
    is_killed(first);
    is_killed(second);
    expect_undisturbed(first + " then " + second);
  }
}

TEST_F(CrashTest, KillsAtEveryRestartEndTheSame) {
  // Each life ends at its 25th passage: the run goes on all the same.
  int lives = 1;
  while (is_killed("*:25")) ASSERT_LT(++lives, 200);
  EXPECT_GT(lives, 5);
  expect_undisturbed("killed " + std::to_string(lives) + " times");
}

// Of the daemon's modules; the engine's own are passed in tests/e2e.
std::set<std::string> points_of_the_sources() {
  std::set<std::string> names;
  const std::regex call(R"re(fault::point\("([^"]+)"\))re");
  for (const char* module : {"core", "store", "round", "judge_client"}) {
    for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "src" / module)) {
      if (entry.path().extension() != ".cc") continue;
      const std::string text = read_file(entry.path());
      for (std::sregex_iterator match(text.begin(), text.end(), call), end; match != end; ++match)
        names.insert((*match)[1]);
    }
  }
  return names;
}

// Passed only by a judge that sends batches: tests/e2e/test_judges.py kills there.
bool is_of_batches(const std::string& name) { return name.starts_with("judge.") && name.find("batch") != name.npos; }

TEST_F(CrashTest, EveryNamedPointIsOnTheWayOfARun) {
  auto names = points_of_the_sources();
  EXPECT_GE(names.size(), 20u);
  EXPECT_EQ(std::erase_if(names, is_of_batches), 3u);
  std::size_t number = 0;
  for (const std::string& name : names) {
    if (number++ % kNameStride != 0) continue;
    start_afresh();
    EXPECT_TRUE(is_killed(name)) << name << " is never passed";
    expect_undisturbed(name);
  }
}

}  // namespace
}  // namespace cutd
