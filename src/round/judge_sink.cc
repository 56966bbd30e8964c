#include "round/judge_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"
#include "core/hash.h"
#include "round/judge_estimate.h"
#include "store/batches.h"
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
std::vector<bool> StoreJudgeSink::reserve(std::span<const AttemptIntent> intents, const std::string& batch) {
  std::string capped;
  const Json state = options_.state ? options_.state() : Json();
  const auto rows = store_.write([&](Writer& writer) {
    std::vector<std::optional<AttemptRowId>> made;
    const BatchRowId row = batch.empty() ? BatchRowId{} : add_batch(writer, options_.annotator, batch);
    for (const AttemptIntent& intent : intents) {
      const JudgmentId judgment{intent.id.request.value};
      std::string cap;
      made.push_back(reserve_attempt(writer, judgment, intent.reserved_cost, cap));
      if (made.back() && row) put_into_batch(writer, row, *made.back());
      if (made.back()) begin_judgment_attempt(writer, judgment);
      else if (!cap.empty()) capped = cap;  // else its run was paused or ended: it waits for that
    }
    const bool any = std::any_of(made.begin(), made.end(), [](const auto& one) { return one.has_value(); });
    if (any && !state.is_null()) save_rate_state(writer, options_.annotator, state);
    return made;
  });
  std::vector<bool> admitted;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    admitted.push_back(rows[i].has_value());
    if (rows[i]) attempts_[intents[i].id] = *rows[i];
  }
  if (!capped.empty()) {
    pause_reason_ =
        fmt::format("budget: annotator {} has reached its cap per {}; raise it (cutd ledger caps) and resume",
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
  const AttemptRaw raw = keep(reply.bytes);
  stored.raw = raw.bytes;
  stored.raw_file = raw.file;
  return stored;
}

// In the attempt's row, or in a file that is durable before the row is.
AttemptRaw StoreJudgeSink::keep(const std::string& bytes) const {
  if (bytes.size() <= kMostRawBytes) return {bytes, ""};
  const std::string file = "replies/" + sha256_hex(bytes);
  std::filesystem::create_directories(store_.data_dir() / "replies");
  write_file_durably(store_.data_dir() / file, bytes, 0600);
  return {"", file};
}

void StoreJudgeSink::after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) {
  fault::point("judge.before_settle");
  replies_[attempt.request] = reply.bytes.size() <= kMostRawBytes ? reply.bytes : std::string();
  const auto row = attempts_.extract(attempt);
  if (!row) return;
  if (reply.status != 200) {  // providers do not bill errors
    const std::string reason = fmt::format("HTTP {}: {}", reply.status, reply.bytes.substr(0, kMostReasonBytes));
    end_attempt([id = row.mapped(), status = reply.status, reason, raw = keep(reply.bytes)](Writer& writer) {
      fail_attempt(writer, id, status, reason, raw);
    });
    return;
  }
  settlements_.push_back(
      {row.mapped(), store_.submit([id = row.mapped(), stored = stored_reply(reply, usage)](Writer& writer) {
         return settle_attempt(writer, id, stored);
       })});
}

void StoreJudgeSink::after_failure(AttemptId attempt, const AttemptFailure& failure) {
  fault::point("judge.before_settle");
  const auto row = attempts_.extract(attempt);
  if (!row) return;
  end_attempt([id = row.mapped(), failure, raw = keep(failure.raw)](Writer& writer) {
    if (failure.charged_perhaps) lose_attempt(writer, id, failure.reason, raw);
    else fail_attempt(writer, id, failure.status, failure.reason, raw);
  });
}

void StoreJudgeSink::end_attempt(AttemptEnd end) { writes_.push_back(store_.submit(std::move(end))); }

bool StoreJudgeSink::may_resend(AttemptId) {
  if (!options_.resend_unknown || options_.resends_left == 0) return false;
  --options_.resends_left;
  return true;
}

void StoreJudgeSink::halted(const std::string& reason) {
  pause_reason_ = "judge: annotator " + options_.annotator + ": " + reason;
}

std::vector<bool> StoreJudgeSink::before_batch(const std::string& name, std::span<const AttemptIntent> intents) {
  std::vector<bool> admitted = reserve(intents, name);
  fault::point("judge.after_batch_intent");
  return admitted;
}

void StoreJudgeSink::batch_created(const std::string& name, const std::string& provider_id) {
  fault::point("judge.before_batch_id");
  store_.write([&](Writer& writer) { cutd::batch_created(writer, name, provider_id); });
}

// After its last reply, in the order in which they were handed over.
void StoreJudgeSink::batch_ended(const std::string& name, const std::string& failure) {
  fault::point("judge.before_batch_end");
  store_.write([&](Writer& writer) {
    if (failure.empty()) batch_done(writer, name);
    else batch_failed(writer, name, failure);
  });
}

std::vector<OpenBatch> StoreJudgeSink::open_batches() {
  std::vector<OpenBatch> open;
  for (const Batch& batch :
       store_.read([&](Reader& reader) { return list_open_batches(reader, options_.annotator); })) {
    OpenBatch one{batch.name, batch.provider_id, batch.created_at, {}};
    for (const BatchAttempt& attempt : batch.attempts) {
      const AttemptId id{RequestId{attempt.judgment.value}, attempt.number};
      one.attempts.push_back(id);
      attempts_[id] = attempt.attempt;
    }
    open.push_back(std::move(one));
  }
  return open;
}

void StoreJudgeSink::finished(RequestId request, const JudgeOutcome& outcome) {
  const JudgmentId judgment{request.value};
  const auto reply = replies_.extract(request);
  const auto* failure = std::get_if<JudgeFailure>(&outcome);
  // What was not admitted says nothing about the response: it stays pending until there is money, or its run goes on.
  if (options_.ledger && failure != nullptr && failure->kind == JudgeFailureKind::kCapped) return;
  fault::point("judge.before_judgment");
  ++settled_;
  const std::string raw = reply ? reply.mapped() : std::string();
  writes_.push_back(store_.submit([judgment, raw, outcome](Writer& writer) {
    if (!is_pending(writer, judgment)) return;  // someone else settled it first; the money stands
    if (const auto* verdict = std::get_if<Verdict>(&outcome)) {
      const JudgmentLabel label = verdict->perfect ? JudgmentLabel::kPositive : JudgmentLabel::kNegative;
      settle_judgment(writer, judgment, {label, verdict->text, raw, true});
    } else {
      const JudgeFailure& why = std::get<JudgeFailure>(outcome);
      const bool unknown = why.kind == JudgeFailureKind::kUnknown;
      fail_judgment(writer, judgment,
                    std::string(judge_failure_name(why.kind)) + ": " + why.reason +
                        (unknown ? "; it may have been charged (cutd attempts)" : ""),
                    raw);
    }
  }));
}

void StoreJudgeSink::read_again(RequestId request, const RawReply& reply, const JudgeOutcome& outcome) {
  replies_[request] = reply.bytes.size() <= kMostRawBytes ? reply.bytes : std::string();
  finished(request, outcome);
}

std::optional<std::string> StoreJudgeSink::take_pause_reason() { return std::exchange(pause_reason_, std::nullopt); }

void StoreJudgeSink::wait() {
  const auto past_conflicts = [](const auto& get) {
    try {
      get();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kConflict) throw;
    }
  };
  std::vector<std::pair<AttemptRowId, std::int64_t>> charges;
  for (Settlement& one : std::exchange(settlements_, {})) {
    past_conflicts([&] {
      if (const std::int64_t excess = one.excess.get(); excess > 0) charges.emplace_back(one.attempt, excess);
    });
  }
  warn_of_excess(charges);
  for (std::future<void>& write : std::exchange(writes_, {})) past_conflicts([&] { write.get(); });
}

// One by one while they are few: a price that is wrong makes thousands.
void StoreJudgeSink::warn_of_excess(const std::vector<std::pair<AttemptRowId, std::int64_t>>& charges) const {
  constexpr std::size_t kNamed = 5;
  if (!options_.warn || charges.empty()) return;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    sum += charges[i].second;
    if (i < kNamed) {
      options_.warn(fmt::format(
          "money: attempt {} of annotator {} was charged {} above its reservation: check llm.price, and whether the "
          "server obeys the limit on tokens",
          charges[i].first.value, options_.annotator, dollars_text(charges[i].second)));
    }
  }
  if (charges.size() > kNamed) {
    options_.warn(fmt::format("money: {} more attempts of annotator {} were; {} above in all", charges.size() - kNamed,
                              options_.annotator, dollars_text(sum)));
  }
}

}  // namespace cutd
