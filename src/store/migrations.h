// The schema of a store: numbered SQL files, forward only, compiled in from schemas/sql. The number of the
// last one applied is the file's user_version.
#pragma once

#include <filesystem>
#include <span>

#include "core/embedded.h"
#include "core/log.h"
#include "store/sqlite.h"

namespace cutd {

enum class SchemaAge { kEmpty, kOlder, kCurrent };

// How the file's schema stands to `migrations`. Writes nothing. Throws Error: kConflict for a newer one,
// kBadInput for a file that is no store of cutd.
SchemaAge schema_age(Database& database, std::span<const EmbeddedFile> migrations);

// Brings the schema up to date, each migration in one transaction with its number: all of it or nothing. A
// store that holds something is first copied to `backups`/before-NNNN.db, and the copy checked.
void migrate(Database& database, std::span<const EmbeddedFile> migrations, const std::filesystem::path& backups,
             Logger& log);

}  // namespace cutd
