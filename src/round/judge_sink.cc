#include "round/judge_sink.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"
#include "core/hash.h"
#include "store/judgments.h"

namespace cutd {
namespace {

constexpr std::size_t kMostReasonBytes = 500;  // of an error's body

}  // namespace

std::vector<bool> StoreJudgeSink::before_send(std::span<const AttemptIntent> intents) {
  std::vector<bool> admitted;
  if (options_.ledger) {
    admitted = reserve(intents);
  } else {
    for (const AttemptIntent& intent : intents) admitted.push_back(intent.reserved_cost == 0);
    store_.write([&](Writer& writer) {
      for (std::size_t i = 0; i < intents.size(); ++i) {
        if (admitted[i]) begin_judgment_attempt(writer, JudgmentId{intents[i].id.request.value});
      }
    });
  }
  fault::point("judge.after_intent");
  return admitted;
}

// One transaction for all: they are durable together before a byte is sent.
std::vector<bool> StoreJudgeSink::reserve(std::span<const AttemptIntent> intents) {
  for (const AttemptIntent& intent : intents) flush(intent.id.request);
  std::string capped;
  const auto rows = store_.write([&](Writer& writer) {
    std::vector<std::optional<AttemptRowId>> made;
    for (const AttemptIntent& intent : intents) {
      const JudgmentId judgment{intent.id.request.value};
      std::string cap;
      made.push_back(reserve_attempt(writer, judgment, intent.reserved_cost, cap));
      if (made.back()) begin_judgment_attempt(writer, judgment);
      else capped = cap;
    }
    return made;
  });
  std::vector<bool> admitted;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    admitted.push_back(rows[i].has_value());
    if (rows[i]) attempts_[intents[i].id] = *rows[i];
  }
  if (!capped.empty()) {
    pause_reason_ =
        fmt::format("budget: annotator {} has reached its cap per {}; start a run with a higher one; nothing is lost",
                    options_.annotator, capped);
  }
  return admitted;
}

AttemptReply StoreJudgeSink::stored_reply(const RawReply& reply, const std::optional<Usage>& usage) const {
  AttemptReply stored;
  stored.status = reply.status;
  if (usage) {
    stored.cost = usage->cost;
    stored.input_tokens = usage->input_tokens;
    stored.output_tokens = usage->output_tokens;
  }
  if (reply.bytes.size() <= kMostRawBytes) {
    stored.raw = reply.bytes;
    return stored;
  }
  stored.raw_file = "replies/" + sha256_hex(reply.bytes);
  std::filesystem::create_directories(store_.data_dir() / "replies");
  write_file_durably(store_.data_dir() / stored.raw_file, reply.bytes, 0600);
  return stored;
}

void StoreJudgeSink::after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) {
  replies_[attempt.request] = reply.bytes.size() <= kMostRawBytes ? reply.bytes : std::string();
  const auto row = attempts_.extract(attempt);
  if (!row) return;
  if (reply.status != 200) {  // providers do not bill errors
    const std::string reason = fmt::format("HTTP {}: {}", reply.status, reply.bytes.substr(0, kMostReasonBytes));
    unsettled_[attempt.request].push_back([id = row.mapped(), status = reply.status, reason](Writer& writer) {
      fail_attempt(writer, id, status, reason);
    });
    return;
  }
  unsettled_[attempt.request].push_back(
      [id = row.mapped(), stored = stored_reply(reply, usage)](Writer& writer) { settle_attempt(writer, id, stored); });
}

// An attempt's end without its judgment's: the request is tried again, or was dropped.
void StoreJudgeSink::flush(RequestId request) {
  auto ends = unsettled_.extract(request);
  if (!ends) return;
  writes_.push_back(store_.submit([ends = std::move(ends.mapped())](Writer& writer) {
    for (const AttemptEnd& end : ends) end(writer);
  }));
}

void StoreJudgeSink::after_failure(AttemptId attempt, const AttemptFailure& failure) {
  const auto row = attempts_.extract(attempt);
  if (!row) return;
  unsettled_[attempt.request].push_back([id = row.mapped(), failure](Writer& writer) {
    if (failure.charged_perhaps) lose_attempt(writer, id, failure.reason);
    else fail_attempt(writer, id, failure.status, failure.reason);
  });
}

bool StoreJudgeSink::may_resend(AttemptId) {
  if (!options_.resend_unknown || options_.resends_left == 0) return false;
  --options_.resends_left;
  return true;
}

void StoreJudgeSink::halted(const std::string& reason) {
  pause_reason_ = "judge: annotator " + options_.annotator + ": " + reason;
}

void StoreJudgeSink::finished(RequestId request, const JudgeOutcome& outcome) {
  const JudgmentId judgment{request.value};
  const auto reply = replies_.extract(request);
  const auto* failure = std::get_if<JudgeFailure>(&outcome);
  // A cap says nothing about the response: it stays pending until there is money.
  if (options_.ledger && failure != nullptr && failure->kind == JudgeFailureKind::kCapped) return flush(request);
  fault::point("judge.before_settle");
  ++settled_;
  const std::string raw = reply ? reply.mapped() : std::string();
  auto ends = unsettled_.extract(request);
  const std::vector<AttemptEnd> attempt_ends = ends ? std::move(ends.mapped()) : std::vector<AttemptEnd>();
  // The money and the judgment that it bought in one transaction: a crash cannot come between them.
  writes_.push_back(store_.submit([judgment, raw, outcome, attempt_ends](Writer& writer) {
    for (const AttemptEnd& end : attempt_ends) end(writer);
    if (!attempt_ends.empty() && !is_pending(writer, judgment)) return;  // settled by someone else; the money stands
    if (const auto* verdict = std::get_if<Verdict>(&outcome)) {
      const JudgmentLabel label = verdict->perfect ? JudgmentLabel::kPositive : JudgmentLabel::kNegative;
      settle_judgment(writer, judgment, {label, verdict->text, raw, true});
    } else {
      const JudgeFailure& why = std::get<JudgeFailure>(outcome);
      fail_judgment(writer, judgment, std::string(judge_failure_name(why.kind)) + ": " + why.reason, raw);
    }
  }));
}

void StoreJudgeSink::wait() {
  while (!unsettled_.empty()) flush(unsettled_.begin()->first);
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
