#include "judge_client/judge.h"

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

}  // namespace cutd
