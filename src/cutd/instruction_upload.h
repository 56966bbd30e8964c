// Instructions to the daemon, in requests of a size that it accepts.
#pragma once

#include <string>
#include <vector>

#include "core/domain.h"
#include "cutd/api_client.h"

namespace cutd {

// The daemon's counts, summed: {"added", "known", …}. Sending again after a failure is harmless.
Json upload_instructions(ApiClient& api, const std::vector<Instruction>& rows, const std::string& split,
                         const std::string& source);

// What the counts say, in lines for people.
std::string upload_text(const Json& counts, std::size_t read);

}  // namespace cutd
