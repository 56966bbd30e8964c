#include "store/fault_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

namespace cutd {

struct FaultVfs::State {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  std::atomic<bool> armed{false};
  std::atomic<long> passed{0};
  std::atomic<bool> met{false};
  // Constant while armed.
  DiskOperation operation = DiskOperation::kWrite;
  DiskFault fault = DiskFault::kFull;
  long number = 1;
  bool for_ever = false;

  // SQLITE_OK, or what the operation answers instead of being done.
  int next(DiskOperation now) {
    if (!armed || now != operation) return SQLITE_OK;
    const long count = ++passed;
    if (count != number && !(for_ever && count > number)) return SQLITE_OK;
    met = true;
    if (fault == DiskFault::kKill) {
      ::kill(::getpid(), SIGKILL);
      ::pause();
    }
    if (fault == DiskFault::kFull) return SQLITE_FULL;
    return now == DiskOperation::kWrite ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC;
  }
};

namespace {

// SQLite allocates the bytes: this header, then the real file.
struct File {
  sqlite3_file base;
  FaultVfs::State* state;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* file_of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real_of(sqlite3_file* file) { return file_of(file)->real(); }

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (const int code = file_of(file)->state->next(DiskOperation::kWrite)) return code;
  return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, offset);
}

int sync(sqlite3_file* file, int flags) {
  if (const int code = file_of(file)->state->next(DiskOperation::kSync)) return code;
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}

// Everything else is handed on.
template <auto Method, typename... Arguments>
auto forward(sqlite3_file* file, Arguments... arguments) {
  return (real_of(file)->pMethods->*Method)(real_of(file), arguments...);
}

const sqlite3_io_methods kMethods = {
    2,  // WAL needs shared memory; memory maps are not offered
    forward<&sqlite3_io_methods::xClose>,
    forward<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    write,
    forward<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    sync,
    forward<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    forward<&sqlite3_io_methods::xLock, int>,
    forward<&sqlite3_io_methods::xUnlock, int>,
    forward<&sqlite3_io_methods::xCheckReservedLock, int*>,
    forward<&sqlite3_io_methods::xFileControl, int, void*>,
    forward<&sqlite3_io_methods::xSectorSize>,
    forward<&sqlite3_io_methods::xDeviceCharacteristics>,
    forward<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>,
    forward<&sqlite3_io_methods::xShmLock, int, int, int>,
    forward<&sqlite3_io_methods::xShmBarrier>,
    forward<&sqlite3_io_methods::xShmUnmap, int>,
    nullptr,
    nullptr,
};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* state = static_cast<FaultVfs::State*>(vfs->pAppData);
  file_of(file)->state = state;
  const int code = state->real->xOpen(state->real, name, real_of(file), flags, out_flags);
  file->pMethods = real_of(file)->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

}  // namespace

FaultVfs::FaultVfs() : state_(std::make_unique<State>()) {
  state_->real = sqlite3_vfs_find(nullptr);
  state_->vfs = *state_->real;
  state_->vfs.zName = "cutd-fault";
  state_->vfs.szOsFile = static_cast<int>(sizeof(File)) + state_->real->szOsFile;
  state_->vfs.pAppData = state_.get();
  state_->vfs.xOpen = open;
  if (sqlite3_vfs_register(&state_->vfs, 1) != SQLITE_OK) throw std::runtime_error("sqlite3_vfs_register");
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
}

void FaultVfs::fail(DiskOperation operation, DiskFault fault, long number, bool for_ever) {
  heal();
  state_->operation = operation;
  state_->fault = fault;
  state_->number = number;
  state_->for_ever = for_ever;
  state_->passed = 0;
  state_->met = false;
  state_->armed = true;
}

void FaultVfs::heal() { state_->armed = false; }

bool FaultVfs::failed() const { return state_->met; }

}  // namespace cutd
