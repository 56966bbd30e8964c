#include "round/judging.h"

#include "round/judge_tasks.h"
#include "round/quorum.h"
#include "store/attempts.h"

namespace cutd {

std::int64_t judge_pending(Store& store, const JudgeFactory& make, const Clock& clock, Logger& logger,
                           std::stop_token stop) {
  JudgeTroubles troubles;
  const JudgeRoom room{store, make, clock, logger, troubles};
  std::int64_t settled = resolve_quorums(store);
  for (const AnnotatorId annotator : store.read(annotators_with_work)) {
    settled += JudgeSeat(room, annotator).judge(stop).settled;
  }
  return settled;
}

void recover_attempts(Store& store, Logger& logger) {
  const std::int64_t lost = store.write([](Writer& writer) { return lose_old_intents(writer); });
  if (lost == 0) return;
  logger.warning(
      std::to_string(lost) +
      " requests to judges were under way when the daemon ended: their answers are lost and count as charged "
      "(cutd attempts)");
}

}  // namespace cutd
