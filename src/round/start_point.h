// What round 1 of a run trains on (`run.start_from`): the base model, or an adapter that an earlier run of the same
// base promoted in this data folder. Looked up once, when the run is made, and kept with it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

inline constexpr const char* kStartFromBase = "base";
inline constexpr const char* kStartFromKept = "kept";

// The check of such a key (core/options.h): base, kept or an adapter's id.
std::function<std::string(const std::string&)> start_point_check();

// base: none. kept: what the newest run of this base that completed or failed serves, of those that serve an adapter;
// none when there is no such run. A cancelled run counts for nothing: a person ended it. An id: that adapter, if a
// round of a run of this base promoted it; else Error(kUsage, kNotFound) saying what it is.
std::optional<Adapter> find_start(Reader& reader, const std::string& start_from, const std::string& base_hash);

// The same with its folder looked through: Error(kBadInput) when that is damaged or gone.
std::optional<Adapter> require_start(Store& store, const std::string& start_from, const std::string& base_hash);

// A run that builds on others spares the instructions that they used (store/instructions.h).
bool spares_used_instructions(const std::string& start_from);

}  // namespace cutd
