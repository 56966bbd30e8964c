// Fault injection for tests (reliability section 1): named crash points and failing system calls.
// Inactive, one branch on a constant, unless the environment asks for it:
//   CUTD_CRASH_AT=NAME[:K]     kill -9 of this process at the K-th (default first) passage of point NAME;
//                              NAME '*': of any point
//   CUTD_FAIL_IO=OP:K[:ENAME]  the K-th OP (write, fsync, rename, sqlite) fails with ENOSPC (default) or EIO;
//                              K followed by '+' fails that and every later one
// The environment is read once, at the first use, or at reload(). point() and fails() are thread-safe.
#pragma once

namespace cutd::fault {

// A named place where tests may kill the process. Names are listed in docs/architecture.md.
void point(const char* name);

// True when the next operation `op` shall fail; errno is then set.
bool fails(const char* op);

// Reads the environment again and counts from zero; for a test's child process, before it starts threads.
void reload();

}  // namespace cutd::fault
