#include "round/progress.h"

namespace cutd {
namespace {

constexpr std::size_t kKeptMessages = 256;

// Time left at the pace since the activity began.
std::optional<double> time_left(std::int64_t done_before, std::int64_t done, std::int64_t total, double elapsed) {
  const std::int64_t made = done - done_before;
  if (made <= 0 || elapsed <= 0 || total < done) return std::nullopt;
  return elapsed / static_cast<double>(made) * static_cast<double>(total - done);
}

}  // namespace

Json progress_json(const ProgressSnapshot& snapshot) {
  return Json{{"run", snapshot.run.value},
              {"round", snapshot.round.value},
              {"round_number", snapshot.round_number},
              {"round_count", snapshot.round_count},
              {"activity", snapshot.activity},
              {"done", snapshot.done},
              {"total", snapshot.total},
              {"tokens_per_second", snapshot.tokens_per_second},
              {"eta_seconds", snapshot.eta_seconds ? Json(*snapshot.eta_seconds) : Json()},
              {"elapsed_seconds", snapshot.elapsed_seconds},
              {"detail", snapshot.detail}};
}

void ProgressBoard::begin(const ProgressSnapshot& activity, std::int64_t already_done) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = snapshot_.version + 1;
  snapshot_ = activity;
  snapshot_.version = version;
  snapshot_.done = already_done;
  begun_millis_ = clock_.boot_millis();
  begun_done_ = already_done;
  changed_.notify_all();
}

void ProgressBoard::advance(std::int64_t done, double tokens_per_second, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  ++snapshot_.version;
  snapshot_.done = done;
  if (tokens_per_second > 0) snapshot_.tokens_per_second = tokens_per_second;
  if (!detail.empty()) snapshot_.detail = detail;
  snapshot_.elapsed_seconds = static_cast<double>(clock_.boot_millis() - begun_millis_) / 1000;
  snapshot_.eta_seconds = time_left(begun_done_, done, snapshot_.total, snapshot_.elapsed_seconds);
  changed_.notify_all();
}

void ProgressBoard::idle() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = snapshot_.version + 1;
  snapshot_ = ProgressSnapshot{};
  snapshot_.version = version;
  changed_.notify_all();
}

void ProgressBoard::say(std::string text) {
  const std::lock_guard lock(mutex_);
  messages_.push_back({++last_message_, std::move(text)});
  if (messages_.size() > kKeptMessages) messages_.pop_front();
  ++snapshot_.version;
  changed_.notify_all();
}

ProgressSnapshot ProgressBoard::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::vector<ProgressMessage> ProgressBoard::messages_after(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  std::vector<ProgressMessage> found;
  for (const ProgressMessage& message : messages_) {
    if (message.number > number) found.push_back(message);
  }
  return found;
}

ProgressSnapshot ProgressBoard::wait_for_change(std::uint64_t version, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return snapshot_.version != version; });
  return snapshot_;
}

}  // namespace cutd
