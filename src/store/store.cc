#include "store/store.h"

#include "core/embedded.h"
#include "core/error.h"
#include "store/folder_lock.h"
#include "store/migrations.h"
#include "store/reader_pool.h"
#include "store/write_queue.h"

namespace cutd {
namespace {

std::filesystem::path make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  if (std::filesystem::create_directories(folder, failure)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  }
  if (failure) throw Error(ErrorCode::kIo, "cannot make the data folder " + folder.string() + ": " + failure.message());
  return std::filesystem::canonical(folder);
}

// The writer's connection, schema up to date. The caller holds the folder's lock.
std::unique_ptr<Database> open_for_writing(const std::filesystem::path& data_dir, Logger& log) {
  const std::filesystem::path path = store_path(data_dir);
  if (std::filesystem::exists(path)) {
    // Refuse what is not ours, or newer, before anything is written.
    Database probe(path, OpenMode::kReadOnly);
    schema_age(probe, embedded_store());
  }
  auto database = std::make_unique<Database>(path, OpenMode::kReadWrite);
  const std::string found = database->quick_check();
  if (found != "ok") {
    throw Error(ErrorCode::kBadInput, path.string() + " is damaged (" + found + "): restore a copy from backups/");
  }
  migrate(*database, embedded_store(), data_dir / "backups", log);
  return database;
}

std::int64_t next_epoch(Database& database) {
  Transaction transaction(database, Transaction::Kind::kImmediate);
  database.run("UPDATE daemon SET epoch = epoch + 1");
  const std::int64_t epoch = database.integer("SELECT epoch FROM daemon");
  transaction.commit();
  return epoch;
}

}  // namespace

std::filesystem::path store_path(const std::filesystem::path& data_dir) { return data_dir / "cutd.db"; }

Store::Store(const std::filesystem::path& data_dir, const Clock& clock, Logger& log)
    : data_dir_(make_folder(data_dir)), lock_(std::make_unique<FolderLock>(data_dir_)) {
  std::unique_ptr<Database> database = open_for_writing(data_dir_, log);
  epoch_ = next_epoch(*database);
  readers_ = std::make_unique<ReaderPool>(store_path(data_dir_));
  queue_ = std::make_unique<WriteQueue>(std::move(database), epoch_, clock, log);
}

// The writer goes last: only the last connection moves the log into the database and removes it.
Store::~Store() { readers_.reset(); }

void Store::enqueue(std::function<void(Writer&)> command, std::function<void(std::exception_ptr)> finish) {
  queue_->push({std::move(command), std::move(finish)});
}

void Store::with_reader(const std::function<void(Reader&)>& query) const { readers_->with(query); }

StoreReader::StoreReader(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = store_path(data_dir);
  if (!std::filesystem::exists(path)) {
    throw Error(ErrorCode::kNotFound, "there is no store in " + data_dir.string() +
                                          ": start the daemon there once (cutd serve --data-dir " + data_dir.string() +
                                          ")");
  }
  readers_ = std::make_unique<ReaderPool>(path);
  with_reader([&](Reader& reader) {
    if (schema_age(reader.database(), embedded_store()) == SchemaAge::kCurrent) return;
    throw Error(ErrorCode::kConflict,
                path.string() + " was made by an older cutd: start the daemon once to upgrade it");
  });
}

StoreReader::~StoreReader() = default;

void StoreReader::with_reader(const std::function<void(Reader&)>& query) const { readers_->with(query); }

}  // namespace cutd
