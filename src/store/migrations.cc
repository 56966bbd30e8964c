#include "store/migrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"

namespace cutd {
namespace {

constexpr std::int64_t kApplicationId = 0x63757464;  // "cutd", in the file's header

// 2 of "0002_words.sql".
std::int64_t number_of(const EmbeddedFile& migration) {
  std::int64_t number = 0;
  const char* begin = migration.name.data();
  const auto [end, error] = std::from_chars(begin, begin + migration.name.size(), number);
  if (error != std::errc() || end != begin + 4 || !migration.name.substr(4).starts_with("_") || number < 1) {
    throw Error(ErrorCode::kInternal, "migration " + std::string(migration.name) + " must begin with NNNN_");
  }
  return number;
}

// The numbers rise from 1; one that a release never had may be missing.
void require_numbered(std::span<const EmbeddedFile> migrations) {
  std::int64_t before = 0;
  for (const EmbeddedFile& migration : migrations) {
    const std::int64_t number = number_of(migration);
    if (number <= before || (before == 0 && number != 1)) {
      throw Error(ErrorCode::kInternal, "migration " + std::string(migration.name) + " is out of order");
    }
    before = number;
  }
}

std::int64_t newest_of(std::span<const EmbeddedFile> migrations) {
  return migrations.empty() ? 0 : number_of(migrations.back());
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
  const std::int64_t newest = newest_of(migrations);
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
  const auto first = std::find_if(migrations.begin(), migrations.end(),
                                  [&](const EmbeddedFile& migration) { return number_of(migration) > version; });
  if (age == SchemaAge::kOlder) back_up(database, backups, number_of(*first), log);
  for (auto migration = first; migration != migrations.end(); ++migration) {
    Transaction transaction(database, Transaction::Kind::kImmediate);
    database.run_script(std::string(migration->bytes));
    // Pragmas take no bound values; these are our own integers.
    database.run_script("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.run_script("PRAGMA user_version = " + std::to_string(number_of(*migration)));
    fault::point("store.migrate");
    transaction.commit();
    log.info("schema: applied " + std::string(migration->name));
  }
}

}  // namespace cutd
