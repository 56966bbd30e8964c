#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>

#include "core/fault.h"

namespace cutd {
namespace {

constexpr int kLengthLimit = 16 << 20;  // bytes of one value or row
constexpr int kSqlLengthLimit = 100'000;
constexpr int kBusyMilliseconds = 5000;       // other processes only read; they hold locks for moments
constexpr std::size_t kIdleStatements = 400;  // of a database; the project has some 300 texts, a few of many lengths

ErrorCode error_code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT: return ErrorCode::kConflict;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return ErrorCode::kResource;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::kUnavailable;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: return ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::kBadInput;
    default: return ErrorCode::kInternal;
  }
}

bool is_fatal(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return true;
    default: return false;
  }
}

}  // namespace

SqliteError::SqliteError(int sqlite_code, const std::string& message)
    : Error(error_code_of(sqlite_code), message), fatal_(is_fatal(sqlite_code)) {}

Statement::Statement(Database& database, std::string_view sql)
    : database_(database), statement_(database.take_statement(sql)) {}

Statement::~Statement() {
  if (statement_ != nullptr) database_.give_back(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

void Statement::reset(int expected_parameters) {
  sqlite3_reset(statement_);
  if (sqlite3_bind_parameter_count(statement_) != expected_parameters) {
    throw Error(ErrorCode::kInternal, "a query got " + std::to_string(expected_parameters) +
                                          " values: " + std::string(sqlite3_sql(statement_)));
  }
}

void Statement::bind(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, index, value)) database_.fail(code, sqlite3_sql(statement_));
}

void Statement::bind(int index, double value) {
  if (const int code = sqlite3_bind_double(statement_, index, value)) database_.fail(code, sqlite3_sql(statement_));
}

void Statement::bind(int index, std::string_view value) {
  // A null pointer would bind NULL; empty text is not NULL.
  const char* text = value.data() == nullptr ? "" : value.data();
  const int code = sqlite3_bind_text64(statement_, index, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code, sqlite3_sql(statement_));
}

void Statement::bind(int index, Blob value) {
  const char* bytes = value.bytes.data() == nullptr ? "" : value.bytes.data();
  const int code = sqlite3_bind_blob64(statement_, index, bytes, value.bytes.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) database_.fail(code, sqlite3_sql(statement_));
}

void Statement::bind(int index, std::nullptr_t) {
  if (const int code = sqlite3_bind_null(statement_, index)) database_.fail(code, sqlite3_sql(statement_));
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.fail(code, sqlite3_sql(statement_));
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return size == 0 ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<double> Statement::optional_real(int column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

std::optional<std::string> Statement::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

Database::Database(const std::filesystem::path& path, OpenMode mode) : path_(path) {
  int flags = SQLITE_OPEN_READONLY;
  if (mode == OpenMode::kReadWrite) {
    // SQLite would make the file 0644; its WAL files take the mode of this one. Only a missing file is
    // opened here: closing a descriptor of one in use would drop this process's locks on it.
    if (!std::filesystem::exists(path)) {
      const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd < 0) throw_errno("cannot create " + path.string());
      ::close(fd);
    }
    flags = SQLITE_OPEN_READWRITE;
  }
  const int code =
      sqlite3_open_v2(path.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  try {
    if (code != SQLITE_OK) fail(code, "open");
    configure(mode);
  } catch (...) {
    close();
    throw;
  }
}

Database::~Database() { close(); }

void Database::close() noexcept {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  idle_.clear();
  sqlite3_close(handle_);
}

sqlite3_stmt* Database::take_statement(std::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end()) return idle_.extract(found).mapped();
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
  return statement;
}

// Reset, or it would keep its locks; without its values, which may be megabytes.
void Database::give_back(sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  const std::string_view sql = sqlite3_sql(statement);
  // Some pragmas act when they are compiled.
  if (sql.starts_with("PRAGMA") || idle_.size() >= kIdleStatements) {
    sqlite3_finalize(statement);
    return;
  }
  sqlite3_clear_bindings(statement);
  try {
    idle_.emplace(sql, statement);
  } catch (const std::bad_alloc&) {
    sqlite3_finalize(statement);
  }
}

void Database::configure(OpenMode mode) {
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  sqlite3_limit(handle_, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle_, SQLITE_LIMIT_LENGTH, kLengthLimit);
  sqlite3_limit(handle_, SQLITE_LIMIT_SQL_LENGTH, kSqlLengthLimit);
  const auto set = [this](int option, int wanted, const char* name) {
    int got = -1;
    if (sqlite3_db_config(handle_, option, wanted, &got) != SQLITE_OK || got != wanted) {
      throw Error(ErrorCode::kInternal, std::string("SQLite does not take the setting ") + name);
    }
  };
  set(SQLITE_DBCONFIG_DEFENSIVE, 1, "defensive");
  set(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, "trusted_schema");
  set(SQLITE_DBCONFIG_ENABLE_FKEY, 1, "foreign_keys");
  run("PRAGMA mmap_size = 0");
  if (mode == OpenMode::kReadWrite) {
    require_pragma("PRAGMA journal_mode = WAL", "wal");
    run("PRAGMA synchronous = FULL");
    require_pragma("PRAGMA synchronous", "2");
    run("PRAGMA journal_size_limit = 67108864");
  }
  require_pragma("PRAGMA foreign_keys", "1");
}

void Database::require_pragma(const char* pragma, std::string_view expected) {
  const auto got = first(pragma, [](Statement& row) { return row.text(0); });
  if (got != expected) {
    throw Error(ErrorCode::kIo, path_.string() + ": " + pragma + " answers '" + got.value_or("") + "', not '" +
                                    std::string(expected) + "'. The folder must be on a local disk.");
  }
}

void Database::run_script(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "script");
}

std::string Database::quick_check() {
  return first("PRAGMA quick_check(1)", [](Statement& row) { return row.text(0); }).value_or("no answer");
}

void Database::copy_to(const std::filesystem::path& path) {
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> target(raw, sqlite3_close);
  if (opened != SQLITE_OK) throw SqliteError(opened, path.string() + ": cannot open for a backup");
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", handle_, "main");
  if (backup == nullptr) throw SqliteError(sqlite3_errcode(raw), path.string() + ": " + sqlite3_errmsg(raw));
  sqlite3_backup_step(backup, -1);
  int code = sqlite3_backup_finish(backup);
  // The copy is one file, without a WAL beside it.
  if (code == SQLITE_OK) code = sqlite3_exec(raw, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw SqliteError(code, path.string() + ": backup failed: " + sqlite3_errmsg(raw));
}

std::int64_t Database::last_row_id() const { return sqlite3_last_insert_rowid(handle_); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

void Database::fail(int code, std::string_view what) const {
  const std::string reason = code == 0 ? "no row" : sqlite3_errmsg(handle_);
  throw SqliteError(code, path_.string() + ": " + reason + " (" + std::string(what.substr(0, 200)) + ")");
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.run(kind == Kind::kImmediate ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_ || !database_.in_transaction()) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {
    // What failed before is already on its way to the caller; closing the handle rolls back too.
  }
}

void Transaction::commit() {
  if (!open_) throw Error(ErrorCode::kInternal, "a transaction was committed twice");
  if (fault::fails("sqlite")) {
    const int code = errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR;
    throw SqliteError(code, database_.path().string() + ": " + sqlite3_errstr(code) + " (injected)");
  }
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace cutd
