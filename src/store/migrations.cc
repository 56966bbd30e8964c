#include "store/migrations.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"

namespace cutd {
namespace {

constexpr std::int64_t kApplicationId = 0x63757464;  // "cutd", in the file's header

// Files are named 0001_words.sql, 0002_..., without gaps.
void require_numbered(std::span<const EmbeddedFile> migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const std::string prefix = fmt::format("{:04}_", i + 1);
    if (!migrations[i].name.starts_with(prefix)) {
      throw Error(ErrorCode::kInternal, "migration " + std::string(migrations[i].name) + " must begin with " + prefix);
    }
  }
}

void check_backup(const std::filesystem::path& path) {
  Database copy(path, OpenMode::kReadOnly);
  const auto integrity = copy.first("PRAGMA integrity_check(1)", [](Statement& row) { return row.text(0); });
  const auto orphan = copy.first("PRAGMA foreign_key_check", [](Statement& row) { return row.text(0); });
  if (integrity != "ok" || orphan) {
    throw Error(ErrorCode::kBadInput, path.string() + ": the backup is damaged: " +
                                          (orphan ? "dangling rows in " + *orphan : integrity.value_or("no answer")));
  }
}

void back_up(Database& database, const std::filesystem::path& backups, std::int64_t next, Logger& log) {
  std::filesystem::create_directories(backups);
  const std::string name = fmt::format("before-{:04}.db", next);
  const std::filesystem::path temporary = backups / (name + ".tmp");
  std::filesystem::remove(temporary);
  database.copy_to(temporary);
  check_backup(temporary);
  sync_path(temporary);
  std::filesystem::rename(temporary, backups / name);
  sync_path(backups);
  log.info("backup before migrating: " + (backups / name).string());
}

}  // namespace

SchemaAge schema_age(Database& database, std::span<const EmbeddedFile> migrations) {
  const std::int64_t application = database.integer("PRAGMA application_id");
  const std::int64_t version = database.integer("PRAGMA user_version");
  const std::int64_t newest = static_cast<std::int64_t>(migrations.size());
  if (application == 0 && version == 0 && database.integer("SELECT count(*) FROM sqlite_schema") == 0) {
    return SchemaAge::kEmpty;
  }
  if (application != kApplicationId) {
    throw Error(ErrorCode::kBadInput, database.path().string() + " is no store of cutd: move it away");
  }
  if (version > newest) {
    throw Error(ErrorCode::kConflict, database.path().string() + " has schema " + std::to_string(version) +
                                          ", this cutd knows " + std::to_string(newest) +
                                          ": use the newer cutd that wrote it, or restore a copy from backups/");
  }
  return version == newest ? SchemaAge::kCurrent : SchemaAge::kOlder;
}

void migrate(Database& database, std::span<const EmbeddedFile> migrations, const std::filesystem::path& backups,
             Logger& log) {
  require_numbered(migrations);
  const SchemaAge age = schema_age(database, migrations);
  if (age == SchemaAge::kCurrent) return;
  const std::int64_t version = database.integer("PRAGMA user_version");
  if (age == SchemaAge::kOlder) back_up(database, backups, version + 1, log);
  for (std::size_t i = static_cast<std::size_t>(version); i < migrations.size(); ++i) {
    Transaction transaction(database, Transaction::Kind::kImmediate);
    database.run_script(std::string(migrations[i].bytes));
    // Pragmas take no bound values; these are our own integers.
    database.run_script("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.run_script("PRAGMA user_version = " + std::to_string(i + 1));
    fault::point("store.migrate");
    transaction.commit();
    log.info("schema: applied " + std::string(migrations[i].name));
  }
}

}  // namespace cutd
