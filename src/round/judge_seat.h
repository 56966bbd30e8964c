// One annotator at work. A pass judges what waits for it, takes up what is added meanwhile, and ends when nothing is
// left; items that wait out a failure of the provider hold up nobody. Its judge stays from pass to pass, so that what
// it has learned of its endpoint (how many requests at once, whether it is sick) is not forgotten with each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "judge_client/annotator.h"
#include "judge_client/judge.h"
#include "round/judge_troubles.h"
#include "store/judgments.h"
#include "store/store.h"

namespace cutd {

// Makes the judge of an annotator; tests pass scripted ones. Error(kUsage) where a person must do something first.
using JudgeFactory = std::function<std::unique_ptr<Judge>(const AnnotatorConfig&)>;

// What all seats share. What is referred to must outlive them; callbacks are called from the seats' threads.
struct JudgeRoom {
  Store& store;
  const JudgeFactory& judges;
  const Clock& clock;
  Logger& logger;
  JudgeTroubles& troubles;
  std::function<void(const std::string&)> say = [](const std::string&) {};  // a line for the operator
  std::function<void()> settled = [] {};                                    // judgments are durable: look again
};

// One thread at a time.
class JudgeSeat {
 public:
  JudgeSeat(const JudgeRoom& room, AnnotatorId annotator) : room_(room), annotator_(annotator) {}

  struct Pass {
    bool found = false;        // something waited
    std::int64_t settled = 0;  // ended with a verdict or a failure
  };
  // Until all that waits is judged, or `stop`. A reached cap, used-up credit, a missing key or an endpoint that nobody
  // reaches pauses the runs that ask this annotator, with that reason. Throws what the store throws.
  Pass judge(std::stop_token stop);

 private:
  class Sink;

  bool take_place(const AnnotatorConfig& config);
  void leave_place();
  void pause_runs(const std::string& why);

  const JudgeRoom& room_;
  const AnnotatorId annotator_;
  std::unique_ptr<Judge> judge_;
  Json judge_config_;  // that it was made for
};

}  // namespace cutd
