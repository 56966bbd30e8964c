#include "round/judging.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "round/canaries.h"
#include "round/frozen_run.h"
#include "round/judge_sink.h"
#include "round/quorum.h"
#include "round/run_commands.h"
#include "store/attempts.h"
#include "store/evaluations.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr std::int64_t kPassLimit = 2000;  // judgments read at once
// Of a judge in our own engine, which is slow: so that a pause, and another annotator's turn, need not wait for hours.
constexpr std::int64_t kEnginePassLimit = 128;

struct JudgeTask {
  AnnotatorId annotator;
  AnnotatorConfig config;
  std::vector<PendingJudgment> pending;
};

AnnotatorConfig annotator_config(Reader& reader, AnnotatorId id) {
  const std::optional<Annotator> annotator = find_annotator(reader, id);
  if (!annotator) throw Error(ErrorCode::kInternal, "no annotator " + std::to_string(id.value));
  return parse_annotator(annotator->config, "annotator " + annotator->name);
}

std::int64_t pass_limit(const AnnotatorConfig& config) {
  if (config.kind == "batch") return -1;  // a batch is as large as it can be
  return asks_engine(config) ? kEnginePassLimit : kPassLimit;
}

std::vector<JudgeTask> read_tasks(Reader& reader) {
  std::vector<std::pair<UnitOwner, AnnotatorId>> owners;
  for (const Round& round : list_open_rounds(reader)) {
    if (!is_active(round.phase)) continue;
    const std::optional<Run> run = find_run(reader, round.run);
    if (!run) continue;
    for (const AnnotatorId annotator : working_annotators(reader, frozen_annotator(*run)))
      owners.emplace_back(round.id, annotator);
  }
  std::set<AnnotatorId> asked;  // by runs at work: a paused one asks for nothing
  for (const Run& run : list_runs(reader, RunState::kActive)) asked.insert(frozen_annotator(run));
  for (const Evaluation& evaluation : list_evaluations(reader)) {
    if (is_canary_evaluation(evaluation)) continue;  // with its round's
    if (evaluation.state != EvaluationState::kOpen || !asked.contains(evaluation.key.annotator)) continue;
    for (const AnnotatorId annotator : working_annotators(reader, evaluation.key.annotator))
      owners.emplace_back(evaluation.id, annotator);
  }
  std::vector<JudgeTask> tasks;
  for (const auto& [owner, annotator] : owners) {
    AnnotatorConfig config = annotator_config(reader, annotator);
    if (config.kind == "human") continue;  // people judge these (round/people.h)
    std::vector<PendingJudgment> pending =
        mix_in_canaries(reader, owner, annotator, list_pending_judgments(reader, owner, annotator, pass_limit(config)));
    if (!pending.empty()) tasks.push_back({annotator, std::move(config), std::move(pending)});
  }
  return tasks;
}

JudgeRequest request_of(const PendingJudgment& pending) {
  const Instruction& instruction = pending.instruction;
  return {RequestId{pending.id.value},
          instruction.input.empty() ? instruction.text : instruction.text + "\n" + instruction.input,
          pending.response.text, pending.response.finish_reason == "stop", instruction.reference};
}

// What an annotator's sink must know: a ledger for everything that goes over the network, and today's resends.
JudgeSinkOptions sink_options(Store& store, const AnnotatorConfig& config, const Clock& clock) {
  JudgeSinkOptions options;
  options.annotator = config.name;
  if (!asks_over_http(config)) return options;
  options.ledger = true;
  options.resend_unknown = config.llm.on_unknown == "resend";
  constexpr std::int64_t kDay = 86'400'000'000;
  const std::int64_t made =
      store.read([&](Reader& reader) { return count_resends_since(reader, config.name, clock.wall_micros() - kDay); });
  options.resends_left = std::max<std::int64_t>(config.llm.max_unknown_resends - made, 0);
  return options;
}

// Judgments whose last request got lost are held for people, or sent again while the policy allows it.
std::vector<PendingJudgment> without_lost(Store& store, std::vector<PendingJudgment> pending,
                                          JudgeSinkOptions& options) {
  if (!options.ledger) return pending;
  const std::set<JudgmentId> lost =
      store.read([&](Reader& reader) { return list_judgments_with_open_unknown(reader); });
  std::vector<JudgmentId> held;
  std::erase_if(pending, [&](const PendingJudgment& one) {
    if (!lost.contains(one.id)) return false;
    if (options.resend_unknown && options.resends_left > 0) {
      --options.resends_left;
      return false;
    }
    held.push_back(one.id);
    return true;
  });
  store.write([&](Writer& writer) {
    for (const JudgmentId judgment : held) {
      fail_judgment(writer, judgment,
                    "unknown: the answer to a request was lost, and it may have been charged (cutd attempts)");
    }
  });
  return pending;
}

// nullopt: its file is gone, or cannot be read.
std::optional<std::string> stored_bytes(Store& store, const AttemptReply& reply) {
  if (reply.raw_file.empty()) return reply.raw;
  try {
    return read_file(store.data_dir() / reply.raw_file);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// To ask again would be to pay again, which is a person's word to give.
JudgeFailure lost_reply(const AttemptReply& reply) {
  return {JudgeFailureKind::kUnusable,
          "its reply was paid for and cannot be read any more: the file " + reply.raw_file + " is lost"};
}

// Replies that were paid for before a crash and not read yet are read now: nothing is asked twice. They are
// taken from `pending`; the sink counts them as settled.
void read_unread(Store& store, const JudgeTask& task, const Judge& judge, StoreJudgeSink& sink,
                 std::vector<PendingJudgment>& pending) {
  std::map<JudgmentId, UnreadReply> unread;
  for (UnreadReply& one : store.read([&](Reader& reader) { return list_unread_replies(reader, task.config.name); })) {
    unread.emplace(one.judgment, std::move(one));
  }
  std::erase_if(pending, [&](const PendingJudgment& one) {
    const auto found = unread.find(one.id);
    if (found == unread.end()) return false;
    const AttemptReply& reply = found->second.reply;
    const std::optional<std::string> bytes = stored_bytes(store, reply);
    if (!bytes) {
      sink.finished(request_of(one).id, lost_reply(reply));
      return true;
    }
    const RawReply raw{*bytes, "application/json", static_cast<int>(reply.status), found->second.number};
    const std::optional<JudgeOutcome> outcome = judge.read_stored(request_of(one), raw);
    if (!outcome) return false;
    sink.read_again(request_of(one).id, raw, *outcome);
    return true;
  });
  sink.wait();
}

// Every active run of the annotator stops until a person has acted.
void pause_runs(Store& store, AnnotatorId annotator, const std::string& why, Logger& logger) {
  store.write([&](Writer& writer) {
    for (const Run& run : list_runs(writer, RunState::kActive)) {
      const std::vector<AnnotatorId> working = working_annotators(writer, frozen_annotator(run));
      if (std::find(working.begin(), working.end(), annotator) != working.end()) pause_run(writer, run.id, why);
    }
  });
  logger.warning(why);
}

// Works off one task; returns how many judgments were settled.
std::int64_t judge_task(Store& store, const JudgeTask& task, const JudgeFactory& make, const Clock& clock,
                        Logger& logger, std::stop_token stop) {
  JudgeSinkOptions options = sink_options(store, task.config, clock);
  std::vector<PendingJudgment> pending = without_lost(store, task.pending, options);
  const auto held = static_cast<std::int64_t>(task.pending.size() - pending.size());
  std::unique_ptr<Judge> judge;
  try {
    judge = make(task.config);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUsage) throw;
    pause_runs(store, task.annotator, "judge: annotator " + task.config.name + ": " + error.what(), logger);
    return 0;
  }
  const Json state = store.read([&](Reader& reader) { return find_rate_state(reader, task.config.name); });
  if (!state.is_null()) judge->restore_state(state);
  options.state = [&judge] { return judge->save_state(); };
  options.warn = [&logger](const std::string& text) { logger.warning(text); };
  StoreJudgeSink sink(store, options);
  if (options.ledger) read_unread(store, task, *judge, sink, pending);
  for (const PendingJudgment& one : pending) judge->submit(request_of(one));
  judge->run(stop, sink);
  sink.wait();
  if (const Json kept = judge->save_state(); !kept.is_null() && kept != state) {
    store.write([&](Writer& writer) { save_rate_state(writer, task.config.name, kept); });
  }
  if (sink.pause_reason()) pause_runs(store, task.annotator, *sink.pause_reason(), logger);
  return sink.settled() + held;
}

}  // namespace

std::int64_t judge_pending(Store& store, const JudgeFactory& make, const Clock& clock, Logger& logger,
                           std::stop_token stop) {
  std::int64_t settled = resolve_quorums(store);
  const std::vector<JudgeTask> tasks = store.read([](Reader& reader) { return read_tasks(reader); });
  for (const JudgeTask& task : tasks) {
    if (stop.stop_requested()) break;
    settled += judge_task(store, task, make, clock, logger, stop);
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
