// `cutd judge test`: an annotator tried on a few items, outside any run. What it pays is capped by a budget of its own
// and written to DATA/trials.jsonl, each request before a byte of it is sent, so that no dollar is spent unrecorded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "judge_client/annotator.h"
#include "judge_client/judge.h"

namespace cutd {

struct TrialItem {
  std::string instruction;
  std::string response;
  std::string reference = "";  // empty: none is known
};

// Ten with well-known flaws, and some without.
std::vector<TrialItem> built_in_trial_items();
// JSON Lines of {"instruction", "input"?, "response" or "output", "reference"?}, the first `most`. Error(kBadInput)
// naming file and line.
std::vector<TrialItem> read_trial_items(const std::filesystem::path& path, std::size_t most);

struct TrialResult {
  std::optional<JudgeOutcome> outcome;  // nullopt: never asked, the trial ended before
  std::int64_t requests = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost = 0;  // micro-dollars; of an unknown attempt its reservation
  std::int64_t milliseconds = 0;
};

struct Trial {
  std::vector<TrialResult> results;   // as the items
  std::optional<std::string> halted;  // why it ended early: what is wrong with key, URL, model or credit
  std::int64_t spent = 0;
  std::string hint;  // what else was found out about why there is no verdict; set by who ran it
};

// `budget`: most micro-dollars that it may cost. Throws what the judge or the journal throws.
Trial run_trial(Judge& judge, const std::vector<TrialItem>& items, const std::string& annotator, std::int64_t budget,
                const std::filesystem::path& data_dir, const Clock& clock, std::stop_token stop);

// What all trials of the folder have cost, lost answers included.
struct TrialSpending {
  std::int64_t requests = 0;
  std::int64_t spent = 0;
  std::int64_t unknown = 0;  // of it: requests whose outcome is not known
};
TrialSpending trial_spending(const std::filesystem::path& data_dir);

}  // namespace cutd
