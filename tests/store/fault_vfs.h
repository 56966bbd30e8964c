// A file system under SQLite whose k-th write or sync fails, or kills the process: what a full or broken disk
// does inside a transaction, where core/fault.h cannot reach.
#pragma once

#include <memory>

namespace cutd {

enum class DiskOperation { kWrite, kSync };
enum class DiskFault { kFull, kIoError, kKill };

// The default file system of every connection opened while it lives. Connections must be closed before it
// ends. Thread-safe.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // From now on the `number`-th `operation` (from 1) fails, and with `for_ever` every later one.
  void fail(DiskOperation operation, DiskFault fault, long number, bool for_ever = false);
  void heal();
  bool failed() const;  // whether the fault was met since fail()

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace cutd
