// Start here. The Store is the truth of the daemon: one SQLite file, DATA/cutd.db, written by one thread.
//
//   Store store(data_dir, clock, log);                       // lock, epoch, migrations, quick check
//   RoundId id = store.write([&](Writer& writer) {           // one transaction; returns once durable
//     const RoundId round = create_round(writer, {...});
//     plan_units(writer, round, Split::kTrain, units);
//     return round;
//   });
//   auto rounds = store.read([&](Reader& reader) { return list_rounds(reader, run); });
//
// The queries are free functions over a Reader or a Writer (which is also a Reader), a header a noun:
//   store/instructions.h  import, draw for a round; held-out instructions can never be drawn
//   store/runs.h          runs, and the serving pointer
//   store/rounds.h        rounds, phases by compare-and-set, events, promotion, training steps
//   store/units.h         generation units, samples, responses
//   store/judgments.h     annotators, judgments, manifests
//   store/adapters.h      adapters
//   store/evaluations.h   evaluations and their items
//   store/check.h         the invariant checker
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/clock.h"
#include "core/log.h"
#include "store/sqlite.h"

namespace cutd {

class FolderLock;
class ReaderPool;
class WriteQueue;

// A consistent snapshot, valid inside the call it was given to.
class Reader {
 public:
  explicit Reader(Database& database) : database_(database) {}
  Database& database() { return database_; }

 private:
  Database& database_;
};

// The right to write, on the writer's thread, inside one command.
class Writer : public Reader {
 public:
  Writer(Database& database, std::int64_t epoch, std::int64_t now) : Reader(database), epoch_(epoch), now_(now) {}
  std::int64_t epoch() const { return epoch_; }  // of this daemon
  std::int64_t now() const { return now_; }      // wall-clock microseconds, for the row's time

 private:
  std::int64_t epoch_;
  std::int64_t now_;
};

// Thread-safe; one per process and folder.
class Store {
 public:
  // Makes `data_dir` (mode 0700) and the file when they are absent. Throws Error: kBusy naming the process
  // that holds the folder, kConflict when a newer version wrote the file, kBadInput when it is damaged.
  // `clock` and `log` must outlive the store.
  Store(const std::filesystem::path& data_dir, const Clock& clock, Logger& log);
  ~Store();  // runs what is queued, then closes
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Runs command(Writer&) and waits until it is durable; returns its value. Commands of several threads
  // share a commit, each under its own savepoint: one that throws is undone and its exception comes out
  // here. Commands must not wait for anything: they hold the only writer. When a commit or sync fails, or
  // another daemon has taken the folder, everything of that transaction and after it throws (kResource,
  // kIo, kBusy) until the process is started anew; what was acknowledged is not affected.
  template <typename Command>
  std::invoke_result_t<Command, Writer&> write(Command command);

  // As write(), without waiting.
  template <typename Command>
  std::future<std::invoke_result_t<Command, Writer&>> submit(Command command);

  // Runs query(Reader&) on a snapshot, on the calling thread; sees everything acknowledged before.
  template <typename Query>
  std::invoke_result_t<Query, Reader&> read(Query query) const;

  const std::filesystem::path& data_dir() const { return data_dir_; }
  std::int64_t epoch() const { return epoch_; }

 private:
  void enqueue(std::function<void(Writer&)> command, std::function<void(std::exception_ptr)> finish);
  void with_reader(const std::function<void(Reader&)>& query) const;

  const std::filesystem::path data_dir_;
  std::int64_t epoch_ = 0;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<WriteQueue> queue_;
};

// The same snapshots without a daemon, for commands that only read: takes no lock, changes nothing.
// Throws Error(kNotFound) when there is no store, kConflict when its schema is another version's.
class StoreReader {
 public:
  explicit StoreReader(const std::filesystem::path& data_dir);
  ~StoreReader();

  template <typename Query>
  std::invoke_result_t<Query, Reader&> read(Query query) const;

 private:
  void with_reader(const std::function<void(Reader&)>& query) const;

  std::unique_ptr<ReaderPool> readers_;
};

std::filesystem::path store_path(const std::filesystem::path& data_dir);  // DATA/cutd.db

// --- Templates -----------------------------------------------------------------------------------

namespace store_detail {

// Runs `query` through `with_reader`, which takes no result, and hands back its value.
template <typename Query, typename WithReader>
auto read_value(Query& query, const WithReader& with_reader) {
  using Result = std::invoke_result_t<Query, Reader&>;
  if constexpr (std::is_void_v<Result>) {
    with_reader([&](Reader& reader) { query(reader); });
  } else {
    std::optional<Result> result;
    with_reader([&](Reader& reader) { result.emplace(query(reader)); });
    return std::move(*result);
  }
}

}  // namespace store_detail

template <typename Command>
std::future<std::invoke_result_t<Command, Writer&>> Store::submit(Command command) {
  using Result = std::invoke_result_t<Command, Writer&>;
  struct Call {
    Command command;
    std::promise<Result> promise;
    std::conditional_t<std::is_void_v<Result>, std::monostate, std::optional<Result>> result;
  };
  auto call = std::make_shared<Call>(Call{std::move(command), {}, {}});
  std::future<Result> future = call->promise.get_future();
  enqueue(
      [call](Writer& writer) {
        if constexpr (std::is_void_v<Result>) call->command(writer);
        else call->result.emplace(call->command(writer));
      },
      [call](std::exception_ptr failure) {
        if (failure) call->promise.set_exception(failure);
        else if constexpr (std::is_void_v<Result>) call->promise.set_value();
        else call->promise.set_value(std::move(*call->result));
      });
  return future;
}

template <typename Command>
std::invoke_result_t<Command, Writer&> Store::write(Command command) {
  return submit(std::move(command)).get();
}

template <typename Query>
std::invoke_result_t<Query, Reader&> Store::read(Query query) const {
  return store_detail::read_value(query, [this](const auto& call) { with_reader(call); });
}

template <typename Query>
std::invoke_result_t<Query, Reader&> StoreReader::read(Query query) const {
  return store_detail::read_value(query, [this](const auto& call) { with_reader(call); });
}

}  // namespace cutd
