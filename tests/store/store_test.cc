#include "store/store.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <map>

#include "core/fault.h"
#include "core/files.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

// Ticks at every look, so that each transaction of the writer has a time of its own.
class TickingClock final : public Clock {
 public:
  std::int64_t wall_micros() const override { return ++ticks_; }
  std::int64_t boot_millis() const override { return ++ticks_; }

 private:
  mutable std::atomic<std::int64_t> ticks_{0};
};

void add(Writer& writer, const std::string& text) {
  const NewInstruction instruction{text, ""};
  import_instructions(writer, std::span(&instruction, 1), Split::kTrain, "test");
}

// Every file of a folder with its bytes, but for SQLite's own shared memory, which readers make too.
std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.ends_with("-shm") && name != "cutd.lock")
      files[name] = read_file(entry.path());
  }
  std::erase_if(files, [](const auto& file) { return file.second.empty(); });
  return files;
}

TEST_F(StoreTest, KeepsWhatWasWrittenAcrossAReopening) {
  import(Split::kTrain, {"a"});
  reopen();
  EXPECT_EQ(read([](Reader& reader) { return count_instructions(reader, Split::kTrain); }), 1);
}

TEST_F(StoreTest, ACleanEndLeavesOneFileWithoutALogBeside) {
  import(Split::kTrain, {"a"});
  read([](Reader& reader) { return count_instructions(reader, Split::kTrain); });  // a reader's connection is open
  ASSERT_TRUE(std::filesystem::exists(data_dir() / "cutd.db-wal"));
  store_.reset();
  EXPECT_FALSE(std::filesystem::exists(data_dir() / "cutd.db-wal"));
}

TEST_F(StoreTest, MakesAFolderThatOnlyTheUserReads) {
  struct stat status {};
  ASSERT_EQ(::stat(data_dir().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(StoreTest, EveryTableIsStrict) {
  const auto loose = read([](Reader& reader) {
    return reader.database().all(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND strict = 0 AND name NOT LIKE 'sqlite_%'",
        [](Statement& row) { return row.text(0); });
  });
  EXPECT_THAT(loose, testing::IsEmpty());
}

TEST_F(StoreTest, RefusesASecondStoreOnTheFolder) {
  const std::string message = error_of(ErrorCode::kBusy, [&] { Store second(data_dir(), clock_, log_); });
  EXPECT_THAT(message, HasSubstr(std::to_string(::getpid())));
}

TEST_F(StoreTest, UndoesACommandThatThrowsAndKeepsItsNeighbours) {
  std::promise<void> queued;
  auto before = store().submit([&](Writer& writer) {
    add(writer, "before");
    queued.get_future().wait();
  });
  auto failing = store().submit([](Writer& writer) {
    add(writer, "failing");
    throw std::out_of_range("on purpose");
  });
  auto after = store().submit([](Writer& writer) { add(writer, "after"); });
  queued.set_value();
  before.get();
  EXPECT_THROW(failing.get(), std::out_of_range);
  after.get();
  const auto texts = read([](Reader& reader) {
    return reader.database().all("SELECT text FROM instruction ORDER BY id",
                                 [](Statement& row) { return row.text(0); });
  });
  EXPECT_THAT(texts, testing::ElementsAre("before", "after"));
}

TEST_F(StoreTest, RefusesAWriteFromInsideAWrite) {
  error_of(ErrorCode::kInternal, [&] { write([&](Writer&) { store().write([](Writer&) {}); }); });
}

TEST_F(StoreTest, ReadersSeeOneMomentWhileOthersWrite) {
  import(Split::kTrain, {"a"});
  read([&](Reader& reader) {
    const std::int64_t before = count_instructions(reader, Split::kTrain);
    import(Split::kTrain, {"b"});
    EXPECT_EQ(count_instructions(reader, Split::kTrain), before);
  });
  EXPECT_EQ(read([](Reader& reader) { return count_instructions(reader, Split::kTrain); }), 2);
}

TEST(StoreGroupCommitTest, AcknowledgesOnlyAfterTheCommitThatCommandsShare) {
  const TemporaryDirectory folder;
  const TickingClock clock;
  NullLogger log;
  Store store(folder / "data", clock, log);
  int shared = 0;
  for (int i = 0; i < 200 && shared < 5; ++i) {
    std::promise<void> queued;
    std::int64_t first_time = 0;
    std::int64_t second_time = 0;
    bool acknowledged_early = false;
    auto first = store.submit([&](Writer& writer) {
      first_time = writer.now();
      queued.get_future().wait();
    });
    auto second = store.submit([&](Writer& writer) {
      second_time = writer.now();
      acknowledged_early = first.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
    queued.set_value();
    first.get();
    second.get();
    if (first_time != second_time) continue;  // the machine was slow: two transactions
    ++shared;
    EXPECT_FALSE(acknowledged_early);
  }
  EXPECT_EQ(shared, 5);
}

// Writes rows in a child that is killed at the `count`-th passage of `point`; returns how many were acknowledged.
int acknowledged_before_kill(const std::filesystem::path& data_dir, const std::string& point, int count) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("CUTD_CRASH_AT", (point + ":" + std::to_string(count)).c_str(), 1);
    fault::reload();
    const SystemClock clock;
    NullLogger log;
    Store store(data_dir, clock, log);
    for (int i = 0; i < 20; ++i) {
      store.write([&](Writer& writer) { add(writer, std::to_string(i)); });
      if (::write(pipe[1], "x", 1) != 1) ::_exit(2);
    }
    ::_exit(1);
  }
  ::close(pipe[1]);
  int acknowledged = 0;
  for (char byte = 0; ::read(pipe[0], &byte, 1) == 1;) ++acknowledged;
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child was not killed";
  return acknowledged;
}

TEST(StoreKillTest, KeepsEverythingAcknowledged) {
  for (const std::string point : {"store.before_commit", "store.after_commit"}) {
    for (int count = 1; count <= 6; ++count) {
      const TemporaryDirectory folder;
      const int acknowledged = acknowledged_before_kill(folder / "data", point, count);
      const SystemClock clock;
      NullLogger log;
      Store store(folder / "data", clock, log);  // the lock died with its holder
      const std::int64_t kept = store.read([](Reader& reader) { return count_instructions(reader, Split::kTrain); });
      EXPECT_EQ(acknowledged, count - 1) << point;
      EXPECT_EQ(kept, point == "store.before_commit" ? count - 1 : count) << point;
      EXPECT_EQ(store.epoch(), 2);
    }
  }
}

TEST_F(StoreTest, RefusesTheWritesOfADaemonThatWasReplaced) {
  import(Split::kTrain, {"mine"});
  std::filesystem::remove(data_dir() / "cutd.lock");  // a careless hand: now a second daemon gets in
  Store second(data_dir(), clock_, log_);
  EXPECT_EQ(second.epoch(), store().epoch() + 1);
  const std::string message = error_of(ErrorCode::kBusy, [&] { import(Split::kTrain, {"stale"}); });
  EXPECT_THAT(message, HasSubstr("taken over"));
  error_of(ErrorCode::kBusy, [&] { import(Split::kTrain, {"stale again"}); });
  second.write([](Writer& writer) { add(writer, "theirs"); });
  EXPECT_EQ(second.read([](Reader& reader) { return count_instructions(reader, Split::kTrain); }), 2);
}

TEST_F(StoreTest, TheEpochOnlyRises) {
  const std::int64_t before = store().epoch();
  reopen();
  EXPECT_EQ(store().epoch(), before + 1);
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE daemon SET epoch = epoch"); });
}

TEST_F(StoreTest, RefusesANewerSchemaWithoutWriting) {
  import(Split::kTrain, {"a"});
  store_.reset();
  {
    Database database(store_path(data_dir()), OpenMode::kReadWrite);
    database.run_script("PRAGMA user_version = 99");
  }
  const auto before = contents(data_dir());
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { open(); }), HasSubstr("use the newer cutd"));
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { StoreReader reader(data_dir()); }), HasSubstr("99"));
  EXPECT_EQ(contents(data_dir()), before);
}

TEST_F(StoreTest, NamesADamagedFile) {
  import(Split::kTrain, {"a"});
  store_.reset();
  std::string bytes = read_file(store_path(data_dir()));
  std::fill(bytes.begin() + 4096, bytes.end(), 'x');
  std::ofstream(store_path(data_dir()), std::ios::binary) << bytes;
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { open(); }), HasSubstr("cutd.db"));
}

TEST_F(StoreTest, ReadsWithoutADaemonAndBesideOne) {
  import(Split::kTrain, {"a"});
  const auto count = [](Reader& reader) { return count_instructions(reader, Split::kTrain); };
  EXPECT_EQ(StoreReader(data_dir()).read(count), 1);
  store_.reset();
  EXPECT_EQ(StoreReader(data_dir()).read(count), 1);
}

TEST(StoreReaderTest, SaysHowToMakeAStoreThatIsNotThere) {
  const TemporaryDirectory folder;
  EXPECT_THAT(error_of(ErrorCode::kNotFound, [&] { StoreReader reader(folder.path()); }),
              HasSubstr("cutd serve --data-dir"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace cutd
