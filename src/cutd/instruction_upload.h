// Instructions to the daemon, in requests of a size that it accepts.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/domain.h"
#include "cutd/api_client.h"

namespace cutd {

// The daemon's counts, summed: {"added", "known", …}. Sending again after a failure is harmless. Error(kCancelled)
// between two requests once `stop` was requested; kUploadStopped says what that means.
Json upload_instructions(ApiClient& api, const std::vector<Instruction>& rows, const std::string& split,
                         const std::string& source, const std::stop_token& stop);

inline constexpr const char* kUploadStopped = "stopped: what was sent is stored; the same command stores the rest";

// What the counts say, in lines for people.
std::string upload_text(const Json& counts, std::size_t read);

}  // namespace cutd
