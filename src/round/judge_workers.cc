#include "round/judge_workers.h"

#include <vector>

#include "round/judge_tasks.h"

namespace cutd {

void JudgeWorkers::tend(std::stop_token stop) {
  std::size_t busy = join_ended();
  for (const AnnotatorId annotator : room_.store.read(annotators_with_work)) {
    if (stop.stop_requested() || busy >= kMost) return;
    const auto found = workers_.find(annotator);
    if (found != workers_.end() && found->second->thread.joinable()) continue;
    start(annotator, stop);
    ++busy;
  }
}

std::size_t JudgeWorkers::join_ended() {
  std::size_t busy = 0;
  for (auto& [id, worker] : workers_) {
    if (!worker->thread.joinable()) continue;
    if (worker->at_work) ++busy;
    else worker->thread.join();
  }
  return busy;
}

void JudgeWorkers::start(AnnotatorId annotator, std::stop_token stop) {
  auto& worker = workers_[annotator];
  if (!worker) worker = std::make_unique<Worker>(room_, annotator);
  worker->at_work = true;
  worker->thread = std::thread([this, &one = *worker, stop] {
    guard_("judges", [&] { work(one, stop); });
    one.at_work = false;
  });
}

void JudgeWorkers::work(Worker& worker, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t seen = wakeup_.count();
    const JudgeSeat::Pass pass = worker.seat.judge(stop);
    if (!pass.found) return;
    if (pass.settled > 0) room_.settled();
    else wakeup_.wait(seen, poll_);
  }
}

void JudgeWorkers::join() {
  for (auto& [id, worker] : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

}  // namespace cutd
