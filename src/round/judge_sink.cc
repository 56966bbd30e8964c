#include "round/judge_sink.h"

#include "core/error.h"
#include "core/fault.h"
#include "store/judgments.h"

namespace cutd {

std::vector<bool> StoreJudgeSink::before_send(std::span<const AttemptIntent> intents) {
  std::vector<bool> admitted;
  for (const AttemptIntent& intent : intents) admitted.push_back(intent.reserved_cost == 0);
  store_.write([&](Writer& writer) {
    for (std::size_t i = 0; i < intents.size(); ++i) {
      if (admitted[i]) begin_judgment_attempt(writer, JudgmentId{intents[i].id.request.value});
    }
  });
  fault::point("judge.after_intent");
  return admitted;
}

void StoreJudgeSink::after_reply(AttemptId attempt, const RawReply& reply, const Usage&) {
  replies_[attempt.request] = reply.bytes;
}

void StoreJudgeSink::finished(RequestId request, const JudgeOutcome& outcome) {
  fault::point("judge.before_settle");
  const JudgmentId judgment{request.value};
  const auto reply = replies_.extract(request);
  const std::string raw = reply ? reply.mapped() : std::string();
  writes_.push_back(store_.submit([judgment, raw, outcome](Writer& writer) {
    if (const auto* verdict = std::get_if<Verdict>(&outcome)) {
      const JudgmentLabel label = verdict->perfect ? JudgmentLabel::kPositive : JudgmentLabel::kNegative;
      settle_judgment(writer, judgment, {label, verdict->text, raw, true});
    } else {
      const JudgeFailure& failure = std::get<JudgeFailure>(outcome);
      fail_judgment(writer, judgment, std::string(judge_failure_name(failure.kind)) + ": " + failure.reason, raw);
    }
  }));
}

void StoreJudgeSink::wait() {
  std::vector<std::future<void>> writes = std::move(writes_);
  writes_.clear();
  for (std::future<void>& write : writes) {
    try {
      write.get();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kConflict) throw;
    }
  }
}

}  // namespace cutd
