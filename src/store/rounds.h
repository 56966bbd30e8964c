// Rounds: one column `phase`, changed only together with an event. A move is a compare-and-set: it throws
// Error(kConflict) when the round is no longer in the phase the caller saw, which undoes the whole
// command; the caller drops its result and looks again. Legal moves are rows of `round_move`; triggers
// keep `phase` and the events in step and refuse events of an older daemon.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct NewRound {
  RunId run;
  std::optional<AdapterId> parent;  // cumulative; none: the base
  Json config;
};

// The next number of its run, phase created. Error(kConflict) while the run has a round that is neither
// completed nor cancelled.
RoundId create_round(Writer& writer, const NewRound& round);
std::optional<Round> find_round(Reader& reader, RoundId id);
std::optional<Round> find_round(Reader& reader, RunId run, std::int64_t number);
std::vector<Round> list_rounds(Reader& reader, RunId run);  // by number
std::vector<Round> list_open_rounds(Reader& reader);        // neither completed nor cancelled, by id

// From one active phase to the next.
void advance_round(Writer& writer, RoundId round, Phase from, Phase to, const std::string& why);
void pause_round(Writer& writer, RoundId round, Phase from, const std::string& reason);
// Back to the phase it was paused in.
void resume_round(Writer& writer, RoundId round, const std::string& why);
void fail_round(Writer& writer, RoundId round, Phase from, const std::string& error);
// Back to the phase it failed in, with its unit failures forgotten.
void retry_round(Writer& writer, RoundId round, const std::string& why);
void cancel_round(Writer& writer, RoundId round, Phase from, const std::string& why);

// evaluating -> completed(promoted), and the run's serving pointer goes from `expected` (none: the base) to
// `adapter`, which must be this round's verified cumulative adapter. Error(kConflict) otherwise.
void promote_round(Writer& writer, RoundId round, std::optional<AdapterId> expected, AdapterId adapter,
                   const std::string& why);
// evaluating -> completed(rejected).
void reject_round(Writer& writer, RoundId round, const std::string& why);

std::vector<RoundEvent> list_round_events(Reader& reader, RoundId round);       // oldest first
std::vector<RoundEvent> list_events_after(Reader& reader, std::int64_t event);  // of all rounds, oldest first
std::int64_t last_event(Reader& reader);                                        // its id; 0: none yet

// Failures of one unit of work ("generate 3", "train"), kept until a success or a retry of the round.
std::int64_t record_unit_failure(Writer& writer, RoundId round, const std::string& unit, const std::string& reason);
void clear_unit_failures(Writer& writer, RoundId round, const std::string& unit);
std::int64_t count_unit_failures(Reader& reader, RoundId round, const std::string& unit);

// What the trainer reported for a step; a step done again after a resume replaces its line.
void record_training_step(Writer& writer, RoundId round, const TrainingStep& step);
std::int64_t last_training_step(Reader& reader, RoundId round);                // 0: none yet
std::vector<TrainingStep> list_training_steps(Reader& reader, RoundId round);  // by step

}  // namespace cutd
