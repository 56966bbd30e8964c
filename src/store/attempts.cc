#include "store/attempts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "store/rows.h"

namespace cutd {
namespace {

constexpr const char* kStates[] = {"intent", "received", "failed", "unknown"};

AttemptState state_of(const std::string& name) {
  const auto* found = std::find(std::begin(kStates), std::end(kStates), name);
  return static_cast<AttemptState>(found - std::begin(kStates));
}

std::string day_scope(std::int64_t micros) {
  return fmt::format("day:{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(micros / 1'000'000)));
}

// What a reservation needs to know of its judgment.
struct Asked {
  std::string annotator;
  std::string owner_scope;
  bool wanted = false;  // by a run at work
};

// A round is its run's; an evaluation is wanted by every active run that has its annotator (round/frozen_run.h), the
// newest ones being looked at first.
std::optional<Asked> pending_judgment(Database& database, JudgmentId judgment) {
  return database.first(
      "SELECT annotator.name, unit.round_id, unit.evaluation_id, CASE WHEN unit.round_id IS NOT NULL THEN EXISTS ("
      "  SELECT 1 FROM round JOIN run ON run.id = round.run_id WHERE round.id = unit.round_id AND run.state = 'active' "
      "  AND round.phase NOT IN ('paused', 'failed', 'cancelled', 'completed')) "
      "ELSE EXISTS (SELECT 1 FROM evaluation WHERE id = unit.evaluation_id AND state = 'open' AND ("
      "  SELECT 1 FROM run WHERE run.state = 'active' AND json_extract(run.config, '$.annotator') = "
      "  evaluation.annotator_id ORDER BY run.id DESC LIMIT 1)) END FROM judgment "
      "JOIN annotator ON annotator.id = judgment.annotator_id JOIN response ON response.id = judgment.response_id "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "WHERE judgment.id = ? AND judgment.state = 'pending'",
      [](Statement& row) {
        const bool round = !row.is_null(1);
        return Asked{row.text(0), (round ? "round:" : "evaluation:") + std::to_string(row.integer(round ? 1 : 2)),
                     row.integer(3) != 0};
      },
      judgment);
}

std::int64_t used(Database& database, const std::string& annotator, const std::string& scope) {
  return database.integer("SELECT coalesce(sum(reserved + spent), 0) FROM balance WHERE annotator = ? AND scope = ?",
                          annotator, scope);
}

// The cap that `cost` more would pass; empty: none.
std::string passed_cap(Database& database, const Asked& asked, const std::string& day, std::int64_t cost,
                       const SpendCaps& caps) {
  if (cost > caps.request) return "request";
  if (used(database, asked.annotator, asked.owner_scope) + cost > caps.round) return "round";
  if (used(database, asked.annotator, day) + cost > caps.day) return "day";
  if (used(database, asked.annotator, "total") + cost > caps.total) return "total";
  return "";
}

struct Purse {
  std::string annotator;
  std::string owner_scope;
  std::string day_scope;
  std::int64_t reserved = 0;
};

// Moves money in all three scopes of an attempt.
void move_balance(Database& database, const Purse& purse, std::int64_t reserved, std::int64_t spent) {
  for (const std::string& scope : {purse.owner_scope, purse.day_scope, std::string("total")}) {
    // A row first: the conflicting values of an upsert would have to pass the checks by themselves.
    database.run("INSERT OR IGNORE INTO balance (annotator, scope, reserved, spent) VALUES (?, ?, 0, 0)",
                 purse.annotator, scope);
    database.run("UPDATE balance SET reserved = reserved + ?, spent = spent + ? WHERE annotator = ? AND scope = ?",
                 reserved, spent, purse.annotator, scope);
  }
}

void enter(Writer& writer, AttemptRowId attempt, const char* kind, std::int64_t amount) {
  writer.database().run("INSERT INTO ledger (attempt_id, kind, amount, at) VALUES (?, ?, ?, ?)", attempt, kind, amount,
                        writer.now());
}

Purse purse_of(Database& database, AttemptRowId attempt) {
  const auto purse = database.first(
      "SELECT annotator, owner_scope, day_scope, reserved FROM judge_attempt WHERE id = ?",
      [](Statement& row) {
        return Purse{row.text(0), row.text(1), row.text(2), row.integer(3)};
      },
      attempt);
  if (!purse) throw Error(ErrorCode::kNotFound, "there is no attempt " + std::to_string(attempt.value));
  return *purse;
}

// A charge above the reservation: a server that ignores the limit on tokens, say, or a price of ours that is wrong.
void reserve_late(Writer& writer, AttemptRowId attempt, Purse& purse, std::int64_t excess) {
  writer.database().run(
      "UPDATE judge_attempt SET reserved = reserved + ?, reason = ? WHERE id = ?", excess,
      fmt::format("it was charged {} micro-dollars above its reservation of {}", excess, purse.reserved), attempt);
  move_balance(writer.database(), purse, excess, 0);
  enter(writer, attempt, "reserve", excess);
  purse.reserved += excess;
}

std::string not_an_intent(AttemptRowId attempt) {
  return "attempt " + std::to_string(attempt.value) + " has ended already";
}

// NULL where there is nothing.
std::optional<std::string> present(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

Attempt attempt_of(Statement& row) {
  Attempt attempt;
  attempt.id = {row.integer(0)};
  attempt.judgment = {row.integer(1)};
  attempt.number = row.integer(2);
  attempt.annotator = row.text(3);
  attempt.state = state_of(row.text(4));
  attempt.reserved = row.integer(5);
  attempt.settled = row.optional_integer(6);
  attempt.input_tokens = row.optional_integer(7);
  attempt.output_tokens = row.optional_integer(8);
  attempt.status = row.integer(9);
  attempt.reason = row.text(10);
  attempt.resolution = row.is_null(11) ? "" : row.text(11);
  attempt.created_at = row.integer(12);
  return attempt;
}

std::string select_attempt(const char* rest) {
  return std::string(
             "SELECT id, judgment_id, number, annotator, state, reserved, settled, input_tokens, output_tokens, "
             "status, reason, resolution, created_at FROM judge_attempt ") +
         rest;
}

}  // namespace

const char* name_of(AttemptState state) { return kStates[static_cast<std::size_t>(state)]; }

void set_spend_caps(Writer& writer, const std::string& annotator, const SpendCaps& caps) {
  const std::pair<const char*, std::int64_t> rows[] = {
      {"request", caps.request}, {"round", caps.round}, {"day", caps.day}, {"total", caps.total}};
  for (const auto& [kind, amount] : rows) {
    writer.database().run(
        "INSERT INTO spend_cap (annotator, kind, amount) VALUES (?, ?, ?) "
        "ON CONFLICT (annotator, kind) DO UPDATE SET amount = excluded.amount",
        annotator, kind, amount);
  }
}

std::optional<SpendCaps> find_spend_caps(Reader& reader, const std::string& annotator) {
  SpendCaps caps;
  int found = 0;
  reader.database().all(
      "SELECT kind, amount FROM spend_cap WHERE annotator = ?",
      [&](Statement& row) {
        const std::string kind = row.text(0);
        std::int64_t& amount = kind == "request" ? caps.request
                               : kind == "round" ? caps.round
                               : kind == "day"   ? caps.day
                                                 : caps.total;
        amount = row.integer(1);
        return ++found;
      },
      annotator);
  if (found != 4) return std::nullopt;
  return caps;
}

std::optional<AttemptRowId> reserve_attempt(Writer& writer, JudgmentId judgment, std::int64_t cost,
                                            std::string& capped) {
  Database& database = writer.database();
  const std::optional<Asked> asked = pending_judgment(database, judgment);
  capped.clear();
  if (!asked || !asked->wanted) return std::nullopt;
  const std::optional<SpendCaps> caps = find_spend_caps(writer, asked->annotator);
  if (!caps)
    throw Error(ErrorCode::kConflict, "annotator " + asked->annotator + " has no spending caps: nothing is sent");
  const std::string day = day_scope(writer.now());
  capped = passed_cap(database, *asked, day, cost, *caps);
  if (!capped.empty()) return std::nullopt;
  database.run(
      "INSERT INTO judge_attempt (judgment_id, number, annotator, owner_scope, day_scope, state, reserved, epoch, "
      "created_at) VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM judge_attempt WHERE judgment_id = ?1), ?2, "
      "?3, "
      "?4, 'intent', ?5, ?6, ?7)",
      judgment, asked->annotator, asked->owner_scope, day, cost, writer.epoch(), writer.now());
  const AttemptRowId attempt{database.last_row_id()};
  move_balance(database, {asked->annotator, asked->owner_scope, day, cost}, cost, 0);
  enter(writer, attempt, "reserve", cost);
  return attempt;
}

std::int64_t settle_attempt(Writer& writer, AttemptRowId attempt, const AttemptReply& reply) {
  Database& database = writer.database();
  Purse purse = purse_of(database, attempt);
  const std::int64_t price = reply.cost.value_or(-1) >= 0 ? *reply.cost : purse.reserved;
  const std::int64_t excess = std::max<std::int64_t>(price - purse.reserved, 0);
  if (excess > 0) reserve_late(writer, attempt, purse, excess);
  const std::optional<std::string> file =
      reply.raw_file.empty() ? std::nullopt : std::optional<std::string>(reply.raw_file);
  store_rows::require_one(
      database.run("UPDATE judge_attempt SET state = 'received', settled = ?, input_tokens = ?, output_tokens = ?, "
                   "status = ?, raw = CAST(? AS BLOB), raw_file = ?, settled_at = ? WHERE id = ? AND state = 'intent'",
                   price, reply.input_tokens, reply.output_tokens, reply.status, reply.raw, file, writer.now(),
                   attempt),
      not_an_intent(attempt));
  move_balance(database, purse, -purse.reserved, price);
  enter(writer, attempt, "settle", price);
  return excess;
}

void fail_attempt(Writer& writer, AttemptRowId attempt, std::int64_t status, const std::string& reason,
                  const AttemptRaw& raw) {
  Database& database = writer.database();
  const Purse purse = purse_of(database, attempt);
  store_rows::require_one(
      database.run("UPDATE judge_attempt SET state = 'failed', status = ?, reason = ?, raw = CAST(? AS BLOB), "
                   "raw_file = ?, settled_at = ? WHERE id = ? AND state = 'intent'",
                   status, reason, present(raw.bytes), present(raw.file), writer.now(), attempt),
      not_an_intent(attempt));
  move_balance(database, purse, -purse.reserved, 0);
  enter(writer, attempt, "release", purse.reserved);
}

void lose_attempt(Writer& writer, AttemptRowId attempt, const std::string& reason, const AttemptRaw& raw) {
  store_rows::require_one(
      writer.database().run("UPDATE judge_attempt SET state = 'unknown', reason = ?, raw = CAST(? AS BLOB), "
                            "raw_file = ?, settled_at = ? WHERE id = ? AND state = 'intent'",
                            reason, present(raw.bytes), present(raw.file), writer.now(), attempt),
      not_an_intent(attempt));
}

std::int64_t lose_old_intents(Writer& writer) {
  return writer.database().run(
      // An open batch is looked up at the provider instead: nothing about it is lost.
      "UPDATE judge_attempt SET state = 'unknown', reason = 'the daemon ended before its answer came', settled_at = ? "
      "WHERE state = 'intent' AND epoch < ? AND (batch_id IS NULL OR batch_id NOT IN "
      "(SELECT id FROM judge_batch WHERE state IN ('intent', 'created')))",
      writer.now(), writer.epoch());
}

void resolve_attempt(Writer& writer, AttemptRowId attempt, AttemptResolution resolution) {
  Database& database = writer.database();
  const Purse purse = purse_of(database, attempt);
  constexpr const char* kNames[] = {"charged", "not_charged", "resend"};
  store_rows::require_one(
      database.run("UPDATE judge_attempt SET resolution = ? WHERE id = ? AND state = 'unknown' AND resolution IS NULL",
                   kNames[static_cast<std::size_t>(resolution)], attempt),
      "attempt " + std::to_string(attempt.value) + " is not unknown, or was resolved before");
  const bool charged = resolution != AttemptResolution::kNotCharged;
  move_balance(database, purse, -purse.reserved, charged ? purse.reserved : 0);
  enter(writer, attempt, charged ? "settle" : "release", purse.reserved);
}

bool reopen_held_judgment(Writer& writer, AttemptRowId attempt) {
  return writer.database().run(
             "UPDATE judgment SET state = 'pending', failure = NULL, settled_at = NULL WHERE state = 'failed' "
             "AND failure LIKE 'unknown:%' AND id = (SELECT judgment_id FROM judge_attempt WHERE id = ?) AND EXISTS ("
             "  SELECT 1 FROM response JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = "
             "sample.unit_id"
             "  LEFT JOIN round ON round.id = unit.round_id LEFT JOIN evaluation ON evaluation.id = unit.evaluation_id "
             "  WHERE response.id = judgment.response_id AND (evaluation.state = 'open' "
             "  OR coalesce(round.resume_phase, round.phase) IN ('created', 'generating', 'judging')))",
             attempt) == 1;
}

std::optional<Attempt> find_attempt(Reader& reader, AttemptRowId id) {
  return reader.database().first(select_attempt("WHERE id = ?"), attempt_of, id);
}

std::optional<AttemptRaw> find_attempt_raw(Reader& reader, AttemptRowId id) {
  return reader.database().first(
      "SELECT coalesce(raw, ''), coalesce(raw_file, '') FROM judge_attempt WHERE id = ?",
      [](Statement& row) {
        return AttemptRaw{row.text(0), row.text(1)};
      },
      id);
}

std::vector<UnreadReply> list_unread_replies(Reader& reader, const std::string& annotator) {
  return reader.database().all(
      // From the few that are pending, by their index.
      "SELECT judgment_id, a.status, a.raw, a.raw_file, a.number FROM judgment CROSS JOIN judge_attempt AS a "
      "ON a.judgment_id = judgment.id WHERE judgment.state = 'pending' AND judgment.raw IS NULL "
      "AND a.annotator = ? AND a.state = 'received' "
      "AND a.number = (SELECT max(number) FROM judge_attempt WHERE judgment_id = a.judgment_id)",
      [](Statement& row) {
        UnreadReply unread{{row.integer(0)}, row.integer(4), {}};
        unread.reply.status = row.integer(1);
        unread.reply.raw = row.text(2);
        if (!row.is_null(3)) unread.reply.raw_file = row.text(3);
        return unread;
      },
      annotator);
}

std::vector<Attempt> list_attempts(Reader& reader, std::optional<AttemptState> state, std::int64_t limit,
                                   std::int64_t before) {
  const std::optional<std::string> name = state ? std::optional<std::string>(name_of(*state)) : std::nullopt;
  return reader.database().all(
      select_attempt("WHERE (?1 IS NULL OR state = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3"), attempt_of,
      name, before, limit);
}

std::vector<Attempt> list_attempts_of(Reader& reader, JudgmentId judgment) {
  return reader.database().all(select_attempt("WHERE judgment_id = ? ORDER BY number"), attempt_of, judgment);
}

std::set<JudgmentId> list_judgments_with_open_unknown(Reader& reader) {
  const auto rows = reader.database().all(
      "SELECT judgment_id FROM judge_attempt AS a WHERE state = 'unknown' AND resolution IS NULL AND number = "
      "(SELECT max(number) FROM judge_attempt WHERE judgment_id = a.judgment_id)",
      [](Statement& row) { return JudgmentId{row.integer(0)}; });
  return {rows.begin(), rows.end()};
}

std::int64_t count_resends_since(Reader& reader, const std::string& annotator, std::int64_t micros) {
  return reader.database().integer(
      "SELECT count(*) FROM judge_attempt AS later WHERE later.annotator = ? AND later.created_at >= ? AND EXISTS ("
      "  SELECT 1 FROM judge_attempt AS earlier WHERE earlier.judgment_id = later.judgment_id "
      "  AND earlier.number = later.number - 1 AND earlier.state = 'unknown')",
      annotator, micros);
}

void save_rate_state(Writer& writer, const std::string& annotator, const Json& state) {
  writer.database().run(
      "INSERT INTO rate_state (annotator, state) VALUES (?, ?) "
      "ON CONFLICT (annotator) DO UPDATE SET state = excluded.state",
      annotator, store_rows::text_of(state));
}

Json find_rate_state(Reader& reader, const std::string& annotator) {
  return reader.database()
      .first(
          "SELECT state FROM rate_state WHERE annotator = ?", [](Statement& row) { return store_rows::json(row, 0); },
          annotator)
      .value_or(Json());
}

}  // namespace cutd
