// The writer thread: the only read-write connection of the product, fed by a queue. Up to 64 commands, or
// as many as come within 5 ms, share one commit, each under a savepoint of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "store/store.h"

namespace cutd {

class WriteQueue {
 public:
  struct Command {
    std::function<void(Writer&)> run;
    std::function<void(std::exception_ptr)> finish;  // once: null when durable, else why it was undone
  };

  // Owns `database` and gives it to its thread. `epoch` is compared with the file's in every transaction.
  WriteQueue(std::unique_ptr<Database> database, std::int64_t epoch, const Clock& clock, Logger& log);
  ~WriteQueue();  // finishes what is queued
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // Any thread but the writer's own (Error(kInternal): a command that waits for another never ends).
  void push(Command command);

 private:
  struct Done {
    Command command;
    std::exception_ptr failure;
  };

  void work();
  void run_batch(Command first);
  void run_in_transaction(std::vector<Done>& batch);
  void run_under_savepoint(Writer& writer, Done& done);
  void require_own_epoch();
  bool pop(Command& command);
  void stop_writing(std::exception_ptr cause);

  const std::unique_ptr<Database> database_;  // the thread's alone
  const std::int64_t epoch_;
  const Clock& clock_;
  Logger& log_;
  std::exception_ptr broken_;  // the thread's alone: why nothing is written any more

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> queue_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace cutd
