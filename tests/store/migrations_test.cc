#include "store/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store_fixture.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

const EmbeddedFile kFirst{"0001_first.sql", "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);"};
const EmbeddedFile kSecond{"0002_second.sql", "CREATE TABLE b (x INTEGER) STRICT; UPDATE a SET x = 2;"};
const EmbeddedFile kBroken{"0002_broken.sql", "CREATE TABLE b (x INTEGER) STRICT; UPDATE a SET x = 2; nonsense;"};

class MigrationsTest : public testing::Test {
 protected:
  void apply(std::vector<EmbeddedFile> files) {
    Database database(path_, OpenMode::kReadWrite);
    migrate(database, files, folder_ / "backups", log_);
  }
  std::int64_t value(const std::filesystem::path& path, const char* sql) {
    Database database(path, OpenMode::kReadOnly);
    return database.integer(sql);
  }

  TemporaryDirectory folder_;
  const std::filesystem::path path_ = folder_ / "a.db";
  NullLogger log_;
};

TEST_F(MigrationsTest, AppliesWhatIsMissingAndOnlyOnce) {
  apply({kFirst});
  EXPECT_EQ(value(path_, "PRAGMA user_version"), 1);
  apply({kFirst, kSecond});
  apply({kFirst, kSecond});
  EXPECT_EQ(value(path_, "PRAGMA user_version"), 2);
  EXPECT_EQ(value(path_, "SELECT x FROM a"), 2);
}

TEST_F(MigrationsTest, CopiesAStoreThatHoldsSomethingBefore) {
  apply({kFirst});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "backups")) << "an empty store needs no backup";
  apply({kFirst, kSecond});
  EXPECT_EQ(value(folder_ / "backups/before-0002.db", "SELECT x FROM a"), 1);
  EXPECT_EQ(value(folder_ / "backups/before-0002.db", "PRAGMA user_version"), 1);
}

TEST_F(MigrationsTest, LeavesNothingOfAMigrationThatFails) {
  apply({kFirst});
  error_of(ErrorCode::kInternal, [&] { apply({kFirst, kBroken}); });
  EXPECT_EQ(value(path_, "PRAGMA user_version"), 1);
  EXPECT_EQ(value(path_, "SELECT x FROM a"), 1);
  EXPECT_EQ(value(path_, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
}

TEST_F(MigrationsTest, RefusesANewerSchema) {
  apply({kFirst, kSecond});
  const std::string message = error_of(ErrorCode::kConflict, [&] { apply({kFirst}); });
  EXPECT_THAT(message, testing::HasSubstr("schema 2"));
}

TEST_F(MigrationsTest, RefusesAFileOfAnotherProgram) {
  Database(path_, OpenMode::kReadWrite).run_script("CREATE TABLE theirs (x)");
  error_of(ErrorCode::kBadInput, [&] { apply({kFirst}); });
}

TEST_F(MigrationsTest, RefusesFilesOutOfOrder) {
  error_of(ErrorCode::kInternal, [&] { apply({kSecond}); });
}

}  // namespace
}  // namespace cutd
