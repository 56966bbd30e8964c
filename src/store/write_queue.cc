#include "store/write_queue.h"

#include <chrono>

#include "core/error.h"
#include "core/fault.h"

namespace cutd {
namespace {

constexpr std::size_t kMostCommands = 64;
constexpr std::chrono::milliseconds kLongestBatch(5);

// The failure of one transaction that ends all writing, as every later caller sees it.
std::exception_ptr stopped_because(const Error& cause) {
  return std::make_exception_ptr(
      Error(cause.code(), std::string("the store has stopped writing; everything acknowledged is safe. ") +
                              "Put right what failed, then start cutd again. It was: " + cause.what()));
}

}  // namespace

WriteQueue::WriteQueue(std::unique_ptr<Database> database, std::int64_t epoch, const Clock& clock, Logger& log)
    : database_(std::move(database)), epoch_(epoch), clock_(clock), log_(log), thread_([this] { work(); }) {}

WriteQueue::~WriteQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void WriteQueue::push(Command command) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    throw Error(ErrorCode::kInternal, "a store command asked for another write: use its Writer");
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(command));
  }
  changed_.notify_one();
}

bool WriteQueue::pop(Command& command) {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return false;
  command = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void WriteQueue::work() {
  while (true) {
    Command command;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      command = std::move(queue_.front());
      queue_.pop_front();
    }
    run_batch(std::move(command));
  }
}

void WriteQueue::run_batch(Command first) {
  std::vector<Done> batch;
  batch.push_back({std::move(first), broken_});
  if (!broken_) {
    try {
      run_in_transaction(batch);
    } catch (...) {
      // Nothing of this transaction is acknowledged, whatever became of it on disk.
      stop_writing(std::current_exception());
      for (Done& done : batch) done.failure = broken_ ? broken_ : std::current_exception();
    }
  }
  for (Done& done : batch) done.command.finish(done.failure);
}

void WriteQueue::run_in_transaction(std::vector<Done>& batch) {
  Transaction transaction(*database_, Transaction::Kind::kImmediate);
  require_own_epoch();
  Writer writer(*database_, epoch_, clock_.wall_micros());
  const auto deadline = std::chrono::steady_clock::now() + kLongestBatch;
  run_under_savepoint(writer, batch.front());
  while (batch.size() < kMostCommands && std::chrono::steady_clock::now() < deadline) {
    Command next;
    if (!pop(next)) break;
    batch.push_back({std::move(next), nullptr});
    run_under_savepoint(writer, batch.back());
  }
  fault::point("store.before_commit");
  transaction.commit();
  fault::point("store.after_commit");
}

void WriteQueue::run_under_savepoint(Writer& writer, Done& done) {
  database_->run("SAVEPOINT command");
  try {
    done.command.run(writer);
  } catch (const SqliteError& error) {
    if (error.fatal()) throw;
    done.failure = std::current_exception();
  } catch (...) {
    done.failure = std::current_exception();
  }
  // SQLite itself rolls the whole transaction back on some failures; the others in it are lost then too.
  if (!database_->in_transaction()) {
    throw Error(ErrorCode::kIo, database_->path().string() + ": the transaction ended before its commit");
  }
  if (done.failure) database_->run("ROLLBACK TO command");
  database_->run("RELEASE command");
}

void WriteQueue::require_own_epoch() {
  const std::int64_t epoch = database_->integer("SELECT epoch FROM daemon");
  if (epoch == epoch_) return;
  throw Error(ErrorCode::kBusy, "another cutd has taken over " + database_->path().parent_path().string() + " (epoch " +
                                    std::to_string(epoch) + ", this one has " + std::to_string(epoch_) +
                                    "): this process must end");
}

void WriteQueue::stop_writing(std::exception_ptr cause) {
  try {
    std::rethrow_exception(cause);
  } catch (const Error& error) {
    // A lock held too long by another process leaves the handle as good as before.
    if (error.code() == ErrorCode::kUnavailable && !database_->in_transaction()) return;
    broken_ = stopped_because(error);
    log_.error(std::string("store: ") + error.what());
  } catch (const std::exception& error) {
    broken_ = stopped_because(Error(ErrorCode::kInternal, error.what()));
    log_.error(std::string("store: ") + error.what());
  }
}

}  // namespace cutd
