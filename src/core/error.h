// The one exception type of the project. The code says what the caller should do; foreign exceptions
// are translated where their library is owned, adding what was being done.
#pragma once

#include <stdexcept>
#include <string>

namespace cutd {

enum class ErrorCode {
  kUsage,        // wrong command line or configuration: fix the named flag or key
  kBadInput,     // unusable file or data: fix the named file
  kNotFound,     // the named thing does not exist
  kConflict,     // someone else moved it first, or the state does not allow it: look again
  kBusy,         // another daemon holds the folder
  kUnavailable,  // a peer (engine, server) is not there: retry later
  kResource,     // memory, disk or another limit is exhausted: free some
  kIo,           // the operating system failed a read, write or sync
  kCancelled,    // asked to stop
  kInternal,     // a bug, or a failure nobody expected
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// Stable lower-case name, as JSON and logs show it ("bad_input"), and back.
const char* error_code_name(ErrorCode code);
ErrorCode error_code_from_name(const std::string& name);  // kInternal for unknown names

// Exit codes of both programs: 0 done; 1 unexpected; 2 wrong use or config; 3 unusable input;
// 4 the run or round ended failed; 75 another daemon holds the folder; 130/143 second signal.
enum ExitCode : int {
  kExitDone = 0,
  kExitUnexpected = 1,
  kExitUsage = 2,
  kExitBadInput = 3,
  kExitRunFailed = 4,
  kExitBusy = 75,
};
int exit_code(ErrorCode code);

// "what: strerror(errno)" as an Error; kResource for ENOSPC/EDQUOT/EMFILE, kNotFound for ENOENT, else kIo.
[[noreturn]] void throw_errno(const std::string& what);

}  // namespace cutd
