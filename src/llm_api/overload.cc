#include "llm_api/overload.h"

#include <algorithm>

namespace cutd {

void ConcurrencyLimit::succeeded() { limit_ = std::min(most_, limit_ + 1 / limit_); }

void ConcurrencyLimit::throttled(std::int64_t sent_ms, std::int64_t now_ms) {
  if (sent_ms <= halved_ms_) return;
  limit_ = std::max(1.0, limit_ / 2);
  halved_ms_ = now_ms;
}

void Circuit::sent(std::int64_t now_ms) {
  if (open()) next_probe_ms_ = now_ms + kProbeEveryMs;
}

void Circuit::failed(std::int64_t now_ms) {
  if (++failures_ == kOpensAt) next_probe_ms_ = now_ms + kProbeEveryMs;
}

RetryBudget::Slot& RetryBudget::slot(std::int64_t now_ms) {
  const std::int64_t number = now_ms / kSlotMs;
  Slot& present = slots_[static_cast<std::size_t>(number) % slots_.size()];
  if (present.number != number) present = {number};
  return present;
}

RetryBudget::Slot RetryBudget::sum(std::int64_t now_ms) const {
  const std::int64_t oldest = now_ms / kSlotMs - static_cast<std::int64_t>(slots_.size()) + 1;
  Slot total;
  for (const Slot& one : slots_) {
    if (one.number < oldest) continue;
    total.sends += one.sends;
    total.retries += one.retries;
    total.answers += one.answers;
    total.accepts += one.accepts;
  }
  return total;
}

void RetryBudget::sent(std::int64_t now_ms, bool retry) {
  Slot& present = slot(now_ms);
  ++present.sends;
  if (retry) ++present.retries;
}

void RetryBudget::answered(std::int64_t now_ms, bool accepted) {
  Slot& present = slot(now_ms);
  ++present.answers;
  if (accepted) ++present.accepts;
}

bool RetryBudget::allows_retry(std::int64_t now_ms) const {
  const Slot total = sum(now_ms);
  return total.retries < kAlways || total.retries + 1 <= kShare * (total.sends + 1);
}

double RetryBudget::hold_back_probability(std::int64_t now_ms) const {
  const Slot total = sum(now_ms);
  return std::max(0.0, static_cast<double>(total.answers - 2 * total.accepts) / (total.answers + 1));
}

}  // namespace cutd
