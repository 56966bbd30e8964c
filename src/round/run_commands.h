// What an operator can tell a run, as single transactions on the store: compare-and-set, so that a command
// and the runner cannot both win. Error(kNotFound) for an unknown id, kConflict when the state forbids it.
#pragma once

#include <string>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

void pause_run(Writer& writer, RunId run, const std::string& why);
// Also takes up a run that failed outside its rounds; a failed round wants retry_failed_round().
// A round that an alarm paused goes on only when the alarm is acknowledged (Error(kConflict) that says so else); the
// same alarm does not pause it again.
void resume_run(Writer& writer, RunId run, const std::string& why);
void resume_acknowledged_run(Writer& writer, RunId run, const std::string& why);
void cancel_run(Writer& writer, RunId run, const std::string& why);
// A failed round goes on in the phase it failed in, its run with it; failed judgments are asked for again.
// Returns the run.
RunId retry_failed_round(Writer& writer, RoundId round, const std::string& why);

}  // namespace cutd
