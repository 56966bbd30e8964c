// Where judges report to: the store. A judgment's id is the judge's request id.
#pragma once

#include <future>
#include <map>
#include <string>
#include <vector>

#include "judge_client/judge.h"
#include "store/store.h"

namespace cutd {

// One thread. Results are handed to the store's writer at once and share its commits; wait() returns when
// all are durable.
class StoreJudgeSink final : public JudgeSink {
 public:
  explicit StoreJudgeSink(Store& store) : store_(store) {}

  // Counts the attempts durably. What costs money is refused: nothing is spent without a ledger.
  std::vector<bool> before_send(std::span<const AttemptIntent> intents) override;
  void after_reply(AttemptId attempt, const RawReply& reply, const Usage& usage) override;
  void finished(RequestId request, const JudgeOutcome& outcome) override;

  // Throws what a write threw, except that a judgment someone else settled first is dropped.
  void wait();

 private:
  Store& store_;
  std::map<RequestId, std::string> replies_;  // of requests that are not finished
  std::vector<std::future<void>> writes_;
};

}  // namespace cutd
