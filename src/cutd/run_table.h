// A run as text for people, from the JSON that the API and run_summary_json give. Pure functions.
#pragma once

#include <string>

#include "core/json.h"

namespace cutd {

// The rounds of a summary (run_summary_json), the untrained model first.
std::string rounds_table(const Json& summary);

// "report set: untrained model 21.0 % (14.2-29.9), kept model 66.0 % (56.3-74.5)"; empty before both are there.
std::string report_line(const Json& summary);

// One line a round that has an adapter: "round 1  /data/adapters/demo-1-r1-0123456789ab".
std::string adapter_lines(const Json& summary);

// Everything about a run (GET /api/v1/runs/{id}): its state, then the three above.
std::string run_text(const Json& run);

// A line for each judge that does not answer (judge_troubles of GET /api/v1/status), and since when; or "".
std::string troubles_text(const Json& troubles);

}  // namespace cutd
