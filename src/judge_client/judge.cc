#include "judge_client/judge.h"

#include "core/error.h"

namespace cutd {

const char* judge_failure_name(JudgeFailureKind kind) {
  switch (kind) {
    case JudgeFailureKind::kUnusable: return "unusable";
    case JudgeFailureKind::kPermanent: return "permanent";
    case JudgeFailureKind::kRetryable: return "retryable";
    case JudgeFailureKind::kCapped: return "capped";
    case JudgeFailureKind::kUnknown: return "unknown";
  }
  return "unusable";
}

// Sinks of judges without batches need not know of them.
std::vector<bool> JudgeSink::before_batch(const std::string&, std::span<const AttemptIntent>) {
  throw Error(ErrorCode::kInternal, "this sink keeps no batches");
}
void JudgeSink::batch_created(const std::string&, const std::string&) {
  throw Error(ErrorCode::kInternal, "this sink keeps no batches");
}
void JudgeSink::batch_ended(const std::string&, const std::string&) {
  throw Error(ErrorCode::kInternal, "this sink keeps no batches");
}
std::vector<OpenBatch> JudgeSink::open_batches() { return {}; }

}  // namespace cutd
