// Which spending caps hold when a run starts. Caps go by the annotator's name over all its runs, and two hands change
// them: the configuration, at a start, and the operator (cutd ledger caps), at any time. The newest word holds, cap by
// cap: a start changes only those that the configuration says otherwise than at the run before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "round/run_config.h"
#include "store/attempts.h"

namespace cutd {

struct StartingCaps {
  SpendCaps caps;
  std::vector<std::string> notes;  // for the log: what changes, and what stays though the configuration says otherwise
};

// `before`: what the configuration of the newest earlier run with that annotator said; `in_force`: what holds now.
// nullopt: there is none. Pure.
StartingCaps starting_caps(const std::string& annotator, const SpendCaps& configured,
                           const std::optional<SpendCaps>& before, const std::optional<SpendCaps>& in_force);

// Sets the caps of every annotator that is asked over the network, before the run's row is made; returns the notes.
std::vector<std::string> set_starting_caps(Writer& writer, const RunConfig& config);

}  // namespace cutd
