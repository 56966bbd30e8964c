// Read-only connections, lent for one snapshot each: a thread that reads has one to itself for that time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/store.h"

namespace cutd {

// Thread-safe.
class ReaderPool {
 public:
  explicit ReaderPool(std::filesystem::path path) : path_(std::move(path)) {}

  // Runs `query` in one read transaction. Long ones keep the WAL from being reset: be short.
  void with(const std::function<void(Reader&)>& query);

 private:
  std::unique_ptr<Database> take();
  void give_back(std::unique_ptr<Database> database);

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;  // guarded by mutex_
};

}  // namespace cutd
