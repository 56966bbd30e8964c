#include "store/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/store_fixture.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() : database_(folder_ / "a.db", OpenMode::kReadWrite) {
    database_.run_script("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, number REAL, bytes BLOB) STRICT");
  }
  std::int64_t rows() { return database_.integer("SELECT count(*) FROM t"); }

  TemporaryDirectory folder_;
  Database database_;
};

TEST_F(SqliteTest, BindsAndReadsEveryKindOfValue) {
  const std::string bytes("\0\xff'", 3);
  database_.run("INSERT INTO t (word, number, bytes) VALUES (?, ?, ?)", std::string("it's; DROP TABLE t"), 0.5,
                Blob{bytes});
  database_.run("INSERT INTO t (word, number, bytes) VALUES (?, ?, ?)", "", std::optional<double>(), nullptr);
  const auto found = database_.all("SELECT word, number, bytes FROM t ORDER BY id", [](Statement& row) {
    return std::tuple(row.text(0), row.optional_real(1), row.optional_text(2));
  });
  EXPECT_THAT(found, testing::ElementsAre(std::tuple("it's; DROP TABLE t", 0.5, bytes),
                                          std::tuple("", std::nullopt, std::nullopt)));
}

TEST_F(SqliteTest, KeepsEmptyTextApartFromNull) {
  database_.run("INSERT INTO t (word) VALUES (?)", std::string_view());
  EXPECT_EQ(database_.integer("SELECT word IS NULL FROM t"), 0);
}

// A text that was compiled before is used again, with nothing left of the time before.
TEST_F(SqliteTest, AnUsedStatementKeepsNoValueAndNoLock) {
  for (const char* word : {"a", "b", "c"}) database_.run("INSERT INTO t (word) VALUES (?)", word);
  const auto first = [&](std::int64_t id) {
    return database_.first(
        "SELECT word FROM t WHERE id >= ? ORDER BY id", [](Statement& row) { return row.text(0); }, id);
  };
  EXPECT_EQ(first(1), "a");  // left before its last row
  EXPECT_EQ(first(3), "c");
  EXPECT_THROW(Statement(database_, "SELECT word FROM t WHERE id >= ? ORDER BY id").bind_all(), Error);
  Database other(database_.path(), OpenMode::kReadWrite);
  other.run("UPDATE t SET word = 'z'");
  EXPECT_EQ(other.integer("PRAGMA wal_checkpoint(TRUNCATE)"), 0);  // 1 if a reader were left
  EXPECT_EQ(first(1), "z");
}

TEST_F(SqliteTest, OneTextMayBeUnderWayTwice) {
  for (const char* word : {"a", "b"}) database_.run("INSERT INTO t (word) VALUES (?)", word);
  const char* sql = "SELECT id FROM t ORDER BY id";
  std::vector<std::int64_t> seen;
  database_.all(sql, [&](Statement& outer) {
    for (const auto id : database_.all(sql, [](Statement& row) { return row.integer(0); })) seen.push_back(id);
    return outer.integer(0);
  });
  EXPECT_THAT(seen, testing::ElementsAre(1, 2, 1, 2));
}

TEST_F(SqliteTest, AChangedTableIsSeenByAUsedStatement) {
  EXPECT_EQ(rows(), 0);
  database_.run_script("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, other TEXT) STRICT");
  database_.run("INSERT INTO t (other) VALUES ('a')");
  EXPECT_EQ(rows(), 1);
}

TEST_F(SqliteTest, RollsBackOnScopeExit) {
  {
    Transaction transaction(database_, Transaction::Kind::kImmediate);
    database_.run("INSERT INTO t (word) VALUES ('a')");
  }
  EXPECT_EQ(rows(), 0);
  EXPECT_FALSE(database_.in_transaction());
}

TEST_F(SqliteTest, RefusesASecondCommit) {
  Transaction transaction(database_, Transaction::Kind::kImmediate);
  database_.run("INSERT INTO t (word) VALUES ('a')");
  transaction.commit();
  error_of(ErrorCode::kInternal, [&] { transaction.commit(); });
  EXPECT_EQ(rows(), 1);
}

TEST_F(SqliteTest, HasTheProjectsSettings) {
  const auto text = [&](const char* pragma) {
    return database_.first(pragma, [](Statement& row) { return row.text(0); }).value();
  };
  EXPECT_EQ(text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(text("PRAGMA synchronous"), "2");
  EXPECT_EQ(text("PRAGMA foreign_keys"), "1");
  EXPECT_EQ(text("PRAGMA trusted_schema"), "0");
  error_of(ErrorCode::kInternal, [&] { database_.run("ATTACH ? AS other", (folder_ / "b.db").string()); });
}

TEST_F(SqliteTest, MakesAFileThatOnlyTheUserReads) {
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "a.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SqliteTest, CannotWriteThroughAReadOnlyConnection) {
  Database reader(folder_ / "a.db", OpenMode::kReadOnly);
  error_of(ErrorCode::kIo, [&] { reader.run("INSERT INTO t (word) VALUES ('a')"); });
}

TEST_F(SqliteTest, CallsABrokenConstraintAConflictNamingTheColumn) {
  database_.run("INSERT INTO t (id) VALUES (1)");
  const std::string message = error_of(ErrorCode::kConflict, [&] { database_.run("INSERT INTO t (id) VALUES (1)"); });
  EXPECT_THAT(message, testing::HasSubstr("t.id"));
}

TEST_F(SqliteTest, RefusesAWrongNumberOfValues) {
  error_of(ErrorCode::kInternal, [&] { database_.run("INSERT INTO t (word, number) VALUES (?, ?)", "a"); });
}

TEST_F(SqliteTest, CopiesWhatIsStillInTheWal) {
  database_.run("INSERT INTO t (word) VALUES ('a')");
  database_.copy_to(folder_ / "copy.db");
  Database copy(folder_ / "copy.db", OpenMode::kReadOnly);
  EXPECT_EQ(copy.integer("SELECT count(*) FROM t"), 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "copy.db-wal"));
}

}  // namespace
}  // namespace cutd
