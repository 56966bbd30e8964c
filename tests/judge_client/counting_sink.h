// A ledger in memory for tests of judges: what was reserved, what came, how each item ended.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "judge_client/judge.h"

namespace cutd {

class CountingSink final : public JudgeSink {
 public:
  std::vector<bool> before_send(std::span<const AttemptIntent> intents) override {
    std::vector<bool> admitted;
    for (const AttemptIntent& intent : intents) {
      reserved.push_back(intent.reserved_cost);
      admitted.push_back(cap-- > 0);
    }
    return admitted;
  }
  void after_reply(AttemptId, const RawReply& reply, const std::optional<Usage>& usage) override {
    raw.push_back(reply.bytes);
    if (usage) cost += usage->cost;
    else ++without_usage;
  }
  void after_failure(AttemptId, const AttemptFailure& failure) override { lost += failure.charged_perhaps ? 1 : 0; }
  bool may_resend(AttemptId) override { return resend; }
  void finished(RequestId request, const JudgeOutcome& outcome) override { outcomes[request.value] = outcome; }
  void halted(const std::string& reason) override { halts.push_back(reason); }

  int count(bool perfect) const {
    int found = 0;
    for (const auto& [id, outcome] : outcomes) {
      const auto* verdict = std::get_if<Verdict>(&outcome);
      found += verdict != nullptr && verdict->perfect == perfect ? 1 : 0;
    }
    return found;
  }
  std::vector<std::string> failures() const {
    std::vector<std::string> found;
    for (const auto& [id, outcome] : outcomes) {
      const auto* failure = std::get_if<JudgeFailure>(&outcome);
      if (failure != nullptr) found.push_back(std::string(judge_failure_name(failure->kind)) + ": " + failure->reason);
    }
    return found;
  }

  std::int64_t cap = 1'000'000;
  bool resend = false;
  std::vector<std::int64_t> reserved;
  std::vector<std::string> raw, halts;
  std::int64_t cost = 0, without_usage = 0, lost = 0;
  std::map<std::int64_t, JudgeOutcome> outcomes;
};

}  // namespace cutd
