#include "store/rounds.h"

#include "store/adapters.h"
#include "store/rows.h"

namespace cutd {
namespace {

Round round_of(Statement& row) {
  Round round;
  round.id = {row.integer(0)};
  round.run = {row.integer(1)};
  round.number = row.integer(2);
  round.parent = store_rows::optional_id<AdapterId>(row, 3);
  round.phase = store_rows::named<Phase>(row, 4);
  if (!row.is_null(5)) round.resume_phase = store_rows::named<Phase>(row, 5);
  round.reason = row.text(6);
  if (!row.is_null(7)) round.outcome = store_rows::named<Outcome>(row, 7);
  round.retries = row.integer(8);
  round.created_at = row.integer(9);
  round.updated_at = row.integer(10);
  return round;
}

std::string select_round(const char* rest) {
  return std::string(
             "SELECT id, run_id, number, parent_adapter_id, phase, resume_phase, reason, outcome, "
             "retries, created_at, updated_at FROM round ") +
         rest;
}

std::string name_of_round(RoundId round) { return "round " + std::to_string(round.value); }

Round require_round(Reader& reader, RoundId id) {
  std::optional<Round> round = find_round(reader, id);
  if (!round) throw Error(ErrorCode::kNotFound, "there is no " + name_of_round(id));
  return *std::move(round);
}

// What a move leaves in the row besides the phase.
struct Arrival {
  std::optional<Phase> resume_phase;
  std::string reason;
  std::optional<Outcome> outcome;
  std::int64_t retries_added = 0;
};

void add_event(Writer& writer, RoundId round, std::string_view from, Phase to, const std::string& why) {
  writer.database().run(
      "INSERT INTO round_event (round_id, from_phase, to_phase, why, epoch, at) VALUES (?, ?, ?, ?, ?, ?)", round, from,
      name_of(to), why, writer.epoch(), writer.now());
}

void move_round(Writer& writer, RoundId id, Phase from, Phase to, const std::string& why, const Arrival& arrival) {
  Database& database = writer.database();
  const Round round = require_round(writer, id);
  const std::string move =
      name_of_round(id) + " from " + std::string(name_of(from)) + " to " + std::string(name_of(to));
  if (round.phase != from) {
    throw Error(ErrorCode::kConflict, "cannot move " + move + ": it is " + std::string(name_of(round.phase)));
  }
  const std::int64_t legal = database.integer(
      "SELECT EXISTS (SELECT 1 FROM round_move WHERE from_phase = ? AND to_phase = ?)", name_of(from), name_of(to));
  if (legal == 0) throw Error(ErrorCode::kConflict, "cannot move " + move + ": there is no such move");
  add_event(writer, id, name_of(from), to, why);
  std::optional<std::string_view> resume, outcome;
  if (arrival.resume_phase) resume = name_of(*arrival.resume_phase);
  if (arrival.outcome) outcome = name_of(*arrival.outcome);
  const std::int64_t changed = database.run(
      "UPDATE round SET phase = ?, resume_phase = ?, reason = ?, outcome = ?, retries = retries + ?, updated_at = ? "
      "WHERE id = ? AND phase = ?",
      name_of(to), resume, arrival.reason, outcome, arrival.retries_added, writer.now(), id, name_of(from));
  store_rows::require_one(changed, "cannot move " + move);
}

// Paused and failed rounds alike go on where they stopped.
void take_up(Writer& writer, RoundId id, Phase from, const std::string& why, std::int64_t retries_added) {
  const Round round = require_round(writer, id);
  if (round.phase != from || !round.resume_phase) {
    throw Error(ErrorCode::kConflict,
                name_of_round(id) + " is " + std::string(name_of(round.phase)) + ", not " + std::string(name_of(from)));
  }
  move_round(writer, id, from, *round.resume_phase, why, {.retries_added = retries_added});
}

void require_active(RoundId round, Phase phase) {
  if (is_active(phase)) return;
  throw Error(ErrorCode::kConflict,
              name_of_round(round) + " is " + std::string(name_of(phase)) + ", which is no active phase");
}

RoundEvent event_of(Statement& row) {
  RoundEvent event;
  event.id = row.integer(0);
  if (!row.text(1).empty()) event.from = store_rows::named<Phase>(row, 1);
  event.to = store_rows::named<Phase>(row, 2);
  event.why = row.text(3);
  event.epoch = row.integer(4);
  event.at = row.integer(5);
  event.round = {row.integer(6)};
  return event;
}

}  // namespace

RoundId create_round(Writer& writer, const NewRound& round) {
  Database& database = writer.database();
  const std::int64_t at_work = database.integer(
      "SELECT count(*) FROM round WHERE run_id = ? AND phase NOT IN ('completed', 'cancelled')", round.run);
  if (at_work > 0) {
    throw Error(ErrorCode::kConflict, "run " + std::to_string(round.run.value) + " has a round at work already");
  }
  if (round.parent) require_base_of_training(writer, *round.parent);
  database.run(
      "INSERT INTO round (run_id, number, parent_adapter_id, config, phase, reason, created_at, updated_at) "
      "SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, 'created', '', ?4, ?4 FROM round WHERE run_id = ?1",
      round.run, round.parent, store_rows::text_of(round.config), writer.now());
  const RoundId id{database.last_row_id()};
  add_event(writer, id, "", Phase::kCreated, "");
  return id;
}

std::optional<Round> find_round(Reader& reader, RoundId id) {
  return reader.database().first(select_round("WHERE id = ?"), round_of, id);
}

std::optional<Round> find_round(Reader& reader, RunId run, std::int64_t number) {
  return reader.database().first(select_round("WHERE run_id = ? AND number = ?"), round_of, run, number);
}

std::vector<Round> list_rounds(Reader& reader, RunId run) {
  return reader.database().all(select_round("WHERE run_id = ? ORDER BY number"), round_of, run);
}

std::vector<Round> list_open_rounds(Reader& reader) {
  return reader.database().all(select_round("WHERE phase NOT IN ('completed', 'cancelled') ORDER BY id"), round_of);
}

void advance_round(Writer& writer, RoundId round, Phase from, Phase to, const std::string& why) {
  require_active(round, from);
  require_active(round, to);
  move_round(writer, round, from, to, why, {});
}

void pause_round(Writer& writer, RoundId round, Phase from, const std::string& reason) {
  require_active(round, from);
  move_round(writer, round, from, Phase::kPaused, reason, {.resume_phase = from, .reason = reason});
}

void resume_round(Writer& writer, RoundId round, const std::string& why) {
  take_up(writer, round, Phase::kPaused, why, 0);
}

void fail_round(Writer& writer, RoundId round, Phase from, const std::string& error) {
  require_active(round, from);
  move_round(writer, round, from, Phase::kFailed, error, {.resume_phase = from, .reason = error});
}

void retry_round(Writer& writer, RoundId round, const std::string& why) {
  take_up(writer, round, Phase::kFailed, why, 1);
  writer.database().run("DELETE FROM unit_failure WHERE round_id = ?", round);
}

void cancel_round(Writer& writer, RoundId round, Phase from, const std::string& why) {
  move_round(writer, round, from, Phase::kCancelled, why, {.reason = why});
}

void promote_round(Writer& writer, RoundId round, std::optional<AdapterId> expected, AdapterId adapter,
                   const std::string& why) {
  const auto row = find_adapter(writer, adapter);
  if (!row || row->round != round || row->kind != AdapterKind::kCumulative || row->state != AdapterState::kVerified) {
    throw Error(ErrorCode::kConflict, "adapter " + std::to_string(adapter.value) +
                                          " is no verified cumulative adapter of " + name_of_round(round));
  }
  move_round(writer, round, Phase::kEvaluating, Phase::kCompleted, why, {.outcome = Outcome::kPromoted});
  const std::int64_t changed = writer.database().run(
      "UPDATE serving SET adapter_id = ?, updated_at = ? "
      "WHERE run_id = (SELECT run_id FROM round WHERE round.id = ?) AND adapter_id IS ?",
      adapter, writer.now(), round, expected);
  store_rows::require_one(changed, "cannot promote " + name_of_round(round) + ": another adapter is serving by now");
}

void reject_round(Writer& writer, RoundId round, const std::string& why) {
  move_round(writer, round, Phase::kEvaluating, Phase::kCompleted, why, {.outcome = Outcome::kRejected});
}

std::vector<RoundEvent> list_round_events(Reader& reader, RoundId round) {
  return reader.database().all(
      "SELECT id, from_phase, to_phase, why, epoch, at, round_id FROM round_event WHERE round_id = ? ORDER BY id",
      event_of, round);
}

std::vector<RoundEvent> list_events_after(Reader& reader, std::int64_t event) {
  return reader.database().all(
      "SELECT id, from_phase, to_phase, why, epoch, at, round_id FROM round_event WHERE id > ? ORDER BY id", event_of,
      event);
}

std::int64_t last_event(Reader& reader) {
  return reader.database().integer("SELECT coalesce(max(id), 0) FROM round_event");
}

std::int64_t record_unit_failure(Writer& writer, RoundId round, const std::string& unit, const std::string& reason) {
  writer.database().run(
      "INSERT INTO unit_failure (round_id, unit, failures, reason) VALUES (?, ?, 1, ?) "
      "ON CONFLICT (round_id, unit) DO UPDATE SET failures = failures + 1, reason = excluded.reason",
      round, unit, reason);
  return count_unit_failures(writer, round, unit);
}

void clear_unit_failures(Writer& writer, RoundId round, const std::string& unit) {
  writer.database().run("DELETE FROM unit_failure WHERE round_id = ? AND unit = ?", round, unit);
}

std::int64_t count_unit_failures(Reader& reader, RoundId round, const std::string& unit) {
  return reader.database().integer(
      "SELECT coalesce(sum(failures), 0) FROM unit_failure WHERE round_id = ? AND unit = ?", round, unit);
}

void record_training_step(Writer& writer, RoundId round, const TrainingStep& step) {
  writer.database().run(
      "INSERT INTO training_step (round_id, step, metrics) VALUES (?, ?, ?) "
      "ON CONFLICT (round_id, step) DO UPDATE SET metrics = excluded.metrics",
      round, step.step, store_rows::text_of(step.metrics));
}

std::int64_t last_training_step(Reader& reader, RoundId round) {
  return reader.database().integer("SELECT coalesce(max(step), 0) FROM training_step WHERE round_id = ?", round);
}

std::vector<TrainingStep> list_training_steps(Reader& reader, RoundId round) {
  return reader.database().all(
      "SELECT step, metrics FROM training_step WHERE round_id = ? ORDER BY step",
      [](Statement& row) {
        return TrainingStep{row.integer(0), store_rows::json(row, 1)};
      },
      round);
}

}  // namespace cutd
