// The rule annotator: applies a written guideline and writes its judgment in words, naming at most
// `max_defects` defects and quoting the offending words; "Perfect." when nothing is wrong.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "judge_client/guideline.h"
#include "judge_client/judge.h"

namespace cutd {

// The judgment of one response. `ended`: the model stopped by itself. Pure and total: any bytes may come.
std::string judge_by_rules(const Guideline& guideline, std::string_view instruction, std::string_view response,
                           bool ended);

// judge_by_rules behind the Judge interface: costs nothing, sends nothing, never fails. One attempt per
// request; intents are announced in groups of at most 256.
class RuleJudge final : public Judge {
 public:
  explicit RuleJudge(Guideline guideline) : guideline_(std::move(guideline)) {}
  void submit(JudgeRequest request) override;
  void run(std::stop_token stop, JudgeSink& sink) override;

 private:
  std::vector<JudgeRequest> take_group();

  const Guideline guideline_;
  std::mutex mutex_;
  std::vector<JudgeRequest> queue_;  // guarded by mutex_
};

}  // namespace cutd
