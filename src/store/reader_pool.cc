#include "store/reader_pool.h"

namespace cutd {

void ReaderPool::with(const std::function<void(Reader&)>& query) {
  std::unique_ptr<Database> database = take();
  {
    Transaction snapshot(*database, Transaction::Kind::kSnapshot);
    Reader reader(*database);
    query(reader);
    snapshot.commit();
  }
  give_back(std::move(database));  // after an exception it is closed instead
}

std::unique_ptr<Database> ReaderPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Database> database = std::move(idle_.back());
      idle_.pop_back();
      return database;
    }
  }
  return std::make_unique<Database>(path_, OpenMode::kReadOnly);
}

void ReaderPool::give_back(std::unique_ptr<Database> database) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(database));
}

}  // namespace cutd
