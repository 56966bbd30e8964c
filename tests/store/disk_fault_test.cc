// Promises P7, P8 and P14 at the store, by the counter method: the k-th write or sync fails, for every k.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/embedded.h"
#include "core/fault.h"
#include "core/sanitized.h"
#include "store/fault_vfs.h"
#include "store/folder_lock.h"
#include "store/migrations.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kWrites = 6;

// The release build fails every single write; instrumented, a store costs ten times as much.
constexpr long kStride = kSanitized ? 13 : 1;

std::string text_of(int number) { return "instruction " + std::to_string(number); }

void add(Store& store, int number) {
  const NewInstruction instruction{text_of(number), ""};
  store.write([&](Writer& writer) { import_instructions(writer, std::span(&instruction, 1), Split::kTrain, "test"); });
}

struct DiskCase {
  DiskOperation operation;
  DiskFault fault;
  bool for_ever;
};

std::string name_of(const DiskCase& one) {
  return std::string(one.operation == DiskOperation::kWrite ? "write" : "sync") +
         (one.fault == DiskFault::kFull ? "_finds_no_space" : "_fails") + (one.for_ever ? "_for_ever" : "_once");
}

class DiskFaultTest : public testing::TestWithParam<DiskCase> {
 protected:
  // A store that writes until the disk fails; how many writes were acknowledged.
  int write_until_failure(const std::filesystem::path& data_dir, long number) {
    int acknowledged = 0;
    Store store(data_dir, clock_, log_);
    vfs_.fail(GetParam().operation, GetParam().fault, number, GetParam().for_ever);
    try {
      for (int i = 0; i < kWrites; ++i, ++acknowledged) add(store, i);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), GetParam().fault == DiskFault::kFull ? ErrorCode::kResource : ErrorCode::kIo)
          << error.what();
      EXPECT_THAT(error.what(), HasSubstr((data_dir / "cutd.db").string()));
      EXPECT_THAT(error.what(), HasSubstr("start cutd again"));
      // No further commit on that handle, even if the disk is well again.
      if (!GetParam().for_ever) vfs_.heal();
      EXPECT_THROW(add(store, 100), Error);
    }
    return acknowledged;  // the store is closed with the fault still there
  }

  void expect_whole(const std::filesystem::path& data_dir, int acknowledged) {
    Store store(data_dir, clock_, log_);
    store.read([&](Reader& reader) {
      EXPECT_THAT(check_store(reader, data_dir), IsEmpty());
      const auto kept = list_instructions(reader, Split::kTrain);
      ASSERT_GE(kept.size(), static_cast<std::size_t>(acknowledged));
      ASSERT_LE(kept.size(), static_cast<std::size_t>(acknowledged) + 1) << "at most the one write in flight";
      for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i].text, text_of(static_cast<int>(i)));
    });
    add(store, 200);
  }

  FaultVfs vfs_;
  SystemClock clock_;
  NullLogger log_;
};

TEST_P(DiskFaultTest, StopsWritingAndKeepsWhatWasAcknowledged) {
  long number = 1;
  for (;; number += kStride) {
    const TemporaryDirectory folder;
    const int acknowledged = write_until_failure(folder / "data", number);
    const bool met = vfs_.failed();
    vfs_.heal();
    expect_whole(folder / "data", acknowledged);
    if (!met) break;
    ASSERT_LT(number, 1000);
  }
  EXPECT_GT(number, kWrites) << "each write to the store reaches the disk";
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskFaultTest,
                         testing::Values(DiskCase{DiskOperation::kWrite, DiskFault::kFull, false},
                                         DiskCase{DiskOperation::kWrite, DiskFault::kFull, true},
                                         DiskCase{DiskOperation::kWrite, DiskFault::kIoError, false},
                                         DiskCase{DiskOperation::kSync, DiskFault::kIoError, false},
                                         DiskCase{DiskOperation::kSync, DiskFault::kIoError, true}),
                         [](const auto& one) { return name_of(one.param); });

// Runs `work` in a child process; true when it ended by itself with status 0, false when it was killed.
bool survives(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the child failed";
  return WIFEXITED(status);
}

// The migration after the last one that ships.
const std::string kLaterNumber = fmt::format("{:04}", embedded_store().size() + 1);
const std::string kLaterName = kLaterNumber + "_later.sql";
const EmbeddedFile kLater{kLaterName,
                          "CREATE TABLE later (x INTEGER NOT NULL) STRICT;"
                          "INSERT INTO later SELECT id FROM instruction;"
                          "UPDATE instruction SET source = 'migrated';"};

TEST(MigrationKillTest, EveryMigrationIsAllOrNothing) {
  std::vector<EmbeddedFile> migrations(embedded_store().begin(), embedded_store().end());
  migrations.push_back(kLater);
  NullLogger log;
  const SystemClock clock;
  for (const DiskOperation operation : {DiskOperation::kWrite, DiskOperation::kSync}) {
    for (long number = 1;; number += kStride) {
      ASSERT_LT(number, 1000);
      const TemporaryDirectory folder;
      const std::filesystem::path path = store_path(folder.path());
      {
        Store store(folder.path(), clock, log);
        add(store, 1);
      }
      const bool survived = survives([&] {
        FaultVfs vfs;
        Database database(path, OpenMode::kReadWrite);
        vfs.fail(operation, DiskFault::kKill, number);
        migrate(database, migrations, folder / "backups", log);
      });
      Database database(path, OpenMode::kReadWrite);
      const bool applied = schema_age(database, migrations) == SchemaAge::kCurrent;
      EXPECT_EQ(database.quick_check(), "ok");
      EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'later'"), applied ? 1 : 0);
      EXPECT_EQ(database.integer("SELECT count(*) FROM instruction WHERE source = 'migrated'"), applied ? 1 : 0);
      if (applied) {
        Database backup(folder / ("backups/before-" + kLaterNumber + ".db"), OpenMode::kReadOnly);
        EXPECT_EQ(backup.integer("SELECT count(*) FROM instruction WHERE source = 'test'"), 1);
      }
      migrate(database, migrations, folder / "backups", log);
      EXPECT_EQ(database.integer("SELECT count(*) FROM later"), 1);
      if (survived) break;
    }
  }
}

TEST(MigrationKillTest, AFirstStartCanBeKilledAnywhere) {
  NullLogger log;
  const SystemClock clock;
  for (long number = 1;; number += kStride) {
    ASSERT_LT(number, 1000);
    const TemporaryDirectory folder;
    const bool survived = survives([&] {
      FaultVfs vfs;
      vfs.fail(DiskOperation::kWrite, DiskFault::kKill, number);
      Store store(folder / "data", clock, log);
    });
    Store store(folder / "data", clock, log);
    add(store, 1);
    EXPECT_THAT(store.read([&](Reader& reader) { return check_store(reader, folder / "data"); }), IsEmpty());
    if (survived) break;
  }
}

TEST(InjectedFaultTest, AFullDiskAtTheCommitNamesTheFile) {
  const TemporaryDirectory folder;
  const bool survived = survives([&] {
    // One transaction for each migration, one for the epoch, then ours.
    ::setenv("CUTD_FAIL_IO", fmt::format("sqlite:{}+", embedded_store().size() + 2).c_str(), 1);
    fault::reload();
    const SystemClock clock;
    NullLogger log;
    Store store(folder / "data", clock, log);
    try {
      add(store, 1);
    } catch (const Error& error) {
      const std::string message = error.what();
      if (error.code() == ErrorCode::kResource && message.find("cutd.db") != std::string::npos &&
          message.find("full") != std::string::npos)
        return;
    }
    ::_exit(1);
  });
  EXPECT_TRUE(survived);
}

}  // namespace
}  // namespace cutd
