// What `cutd demo` finds in its folder: the same experiment, to go on with or to show, or nothing of the kind, so
// that a new run is started.
#pragma once

#include <string>
#include <vector>

#include "round/instruction_sets.h"
#include "round/run_config.h"
#include "round/run_service.h"
#include "round/run_text.h"
#include "store/store.h"

namespace cutd {

struct DemoStart {
  RunId run;
  bool finished = false;           // completed before: there is nothing left to do
  std::vector<std::string> notes;  // what was found and is reused, a sentence each
};

// Before runs.begin(). Two runs are the same experiment when every key of their configuration, the contents of the
// model and of the instruction files and the rendering of prompts are equal; where the model lies does not matter.
// A paused one is resumed, a failed one tried again, a cancelled one left alone. Other active runs of the folder
// are paused, so that this one has the engine. Throws as RunService::start.
DemoStart start_or_continue(Store& store, RunService& runs, const RunConfig& config, const FileReader& files,
                            const RunTextReader& text = read_run_text);

}  // namespace cutd
