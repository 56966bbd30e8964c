// The threads of judges: one for each annotator that has something to do, so that one whose provider is sick or slow
// holds up no other. A thread ends when nothing waits; its seat, and what it has learned, stays.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "round/judge_seat.h"
#include "round/wakeup.h"

namespace cutd {

class JudgeWorkers {
 public:
  static constexpr std::size_t kMost = 32;  // at once; others wait until one has nothing to do

  // Runs a thread's work and deals with what it throws.
  using Guard = std::function<void(const std::string& name, const std::function<void()>& work)>;

  // Threads that wait look again when `wakeup` is nudged, and every `poll`. What is referred to must outlive it.
  JudgeWorkers(JudgeRoom room, Guard guard, const Wakeup& wakeup, std::chrono::milliseconds poll)
      : room_(std::move(room)), guard_(std::move(guard)), wakeup_(wakeup), poll_(poll) {}
  ~JudgeWorkers() { join(); }

  // Starts who has work and no thread, joins those that ended. Never waits for a judge. One thread at a time.
  void tend(std::stop_token stop);
  // Waits for all; their `stop` must have been requested.
  void join();

 private:
  struct Worker {
    Worker(const JudgeRoom& room, AnnotatorId annotator) : seat(room, annotator) {}
    JudgeSeat seat;
    std::atomic<bool> at_work{false};
    std::thread thread;
  };

  std::size_t join_ended();
  void start(AnnotatorId annotator, std::stop_token stop);
  void work(Worker& worker, const std::stop_token& stop);

  const JudgeRoom room_;
  const Guard guard_;
  const Wakeup& wakeup_;
  const std::chrono::milliseconds poll_;
  std::map<AnnotatorId, std::unique_ptr<Worker>> workers_;  // of the thread of tend()
};

}  // namespace cutd
