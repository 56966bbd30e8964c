// SQLite as three RAII nouns: Database, Statement, Transaction. The only header that stands before
// sqlite3.h; every value of a query is bound, never pasted into the text.
//
// A Database and what was made from it belong to one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/id.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cutd {

// What SQLite refused. Codes: kConflict for a broken constraint, kResource for a full disk or memory,
// kUnavailable for a lock that stayed taken, kIo for failed reads, writes and syncs, kBadInput for a
// damaged file, kInternal for the rest.
class SqliteError : public Error {
 public:
  SqliteError(int sqlite_code, const std::string& message);
  // The handle must not commit any more: disk full, I/O error, damaged file, out of memory.
  bool fatal() const { return fatal_; }

 private:
  bool fatal_;
};

// Bytes that are not text; bound and read as BLOB.
struct Blob {
  std::string_view bytes;
};

class Database;

// A prepared statement, its database's again when it ends: the same text is compiled once. Columns are read by index
// while the last step() returned true.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Binds every parameter in order, after a reset. Integers, booleans, doubles, text, Blob, ids,
  // nullptr, optionals of these. Text and blobs are copied.
  template <typename... Values>
  Statement& bind_all(const Values&... values);

  bool step();  // true: a row is there

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  // also blobs
  std::optional<std::int64_t> optional_integer(int column) const;
  std::optional<double> optional_real(int column) const;
  std::optional<std::string> optional_text(int column) const;

 private:
  void reset(int expected_parameters);
  void bind(int index, std::int64_t value);
  void bind(int index, double value);
  void bind(int index, std::string_view value);
  void bind(int index, Blob value);
  void bind(int index, std::nullptr_t);

  template <typename Value>
  void bind_value(int index, const Value& value);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

enum class OpenMode { kReadWrite, kReadOnly };

// An open file with the project's settings (reliability 3.1), each read back: foreign keys on, schema
// not trusted, defensive, no attached files, no memory map. kReadWrite makes the file (mode 0600) when it
// is not there and sets WAL with synchronous=FULL. Throws SqliteError naming the file.
class Database {
 public:
  Database(const std::filesystem::path& path, OpenMode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one statement to its end; returns the rows it changed.
  template <typename... Values>
  std::int64_t run(std::string_view sql, const Values&... values);

  // Every row, or the first, as map(statement) makes it.
  template <typename Map, typename... Values>
  auto all(std::string_view sql, Map map, const Values&... values)
      -> std::vector<std::invoke_result_t<Map, Statement&>>;
  template <typename Map, typename... Values>
  auto first(std::string_view sql, Map map, const Values&... values)
      -> std::optional<std::invoke_result_t<Map, Statement&>>;

  // The one integer of the one row of `sql`, which must give one.
  template <typename... Values>
  std::int64_t integer(std::string_view sql, const Values&... values);

  // Several statements without values: a migration.
  void run_script(const std::string& sql);

  // "ok", or what PRAGMA quick_check finds first.
  std::string quick_check();

  // Copies the whole database, WAL included, into `path` (SQLite's online backup).
  void copy_to(const std::filesystem::path& path);

  std::int64_t last_row_id() const;
  bool in_transaction() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;
  sqlite3_stmt* take_statement(std::string_view sql);
  void give_back(sqlite3_stmt* statement) noexcept;
  void close() noexcept;
  void configure(OpenMode mode);
  void require_pragma(const char* pragma, std::string_view expected);
  std::int64_t changes() const;
  [[noreturn]] void fail(int code, std::string_view what) const;

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
  std::multimap<std::string, sqlite3_stmt*, std::less<>> idle_;  // by their text
};

// Rolled back on scope exit unless committed. kImmediate takes the write lock at once (a read that later
// writes could fail in a way no waiting cures); kSnapshot is a consistent view for reading.
class Transaction {
 public:
  enum class Kind { kImmediate, kSnapshot };
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Durable on return. After an exception nothing may be assumed about the outcome.
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

template <typename... Values>
Statement& Statement::bind_all(const Values&... values) {
  reset(static_cast<int>(sizeof...(values)));
  [[maybe_unused]] int index = 0;
  (bind_value(++index, values), ...);
  return *this;
}

template <typename Value>
void Statement::bind_value(int index, const Value& value) {
  if constexpr (std::is_integral_v<Value>) {
    bind(index, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_floating_point_v<Value>) {
    bind(index, static_cast<double>(value));
  } else if constexpr (std::is_same_v<Value, Blob> || std::is_same_v<Value, std::nullptr_t>) {
    bind(index, value);
  } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    bind(index, std::string_view(value));
  } else if constexpr (requires { value.has_value(); }) {
    if (value.has_value()) bind_value(index, *value);
    else bind(index, nullptr);
  } else {
    bind(index, value.value);  // Id
  }
}

template <typename... Values>
std::int64_t Database::run(std::string_view sql, const Values&... values) {
  Statement statement(*this, sql);
  statement.bind_all(values...);
  while (statement.step()) {
  }
  return changes();
}

template <typename Map, typename... Values>
auto Database::all(std::string_view sql, Map map, const Values&... values)
    -> std::vector<std::invoke_result_t<Map, Statement&>> {
  std::vector<std::invoke_result_t<Map, Statement&>> rows;
  Statement statement(*this, sql);
  statement.bind_all(values...);
  while (statement.step()) rows.push_back(map(statement));
  return rows;
}

template <typename Map, typename... Values>
auto Database::first(std::string_view sql, Map map, const Values&... values)
    -> std::optional<std::invoke_result_t<Map, Statement&>> {
  Statement statement(*this, sql);
  statement.bind_all(values...);
  if (!statement.step()) return std::nullopt;
  return map(statement);
}

template <typename... Values>
std::int64_t Database::integer(std::string_view sql, const Values&... values) {
  Statement statement(*this, sql);
  statement.bind_all(values...);
  if (!statement.step()) fail(0, sql);
  return statement.integer(0);
}

}  // namespace cutd
