#include "round/judge_seat.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "round/frozen_run.h"
#include "round/judge_sink.h"
#include "round/judge_tasks.h"
#include "round/quorum.h"
#include "round/run_commands.h"
#include "store/attempts.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr std::int64_t kMostHeld = 2000;  // judgments in a judge's hands
// Of a judge in our own engine, which is slow: so that a pause, and another annotator's turn, need not wait for hours.
constexpr std::int64_t kMostHeldByEngine = 128;

std::int64_t most_held(const AnnotatorConfig& config) {
  if (config.kind == "batch") return -1;  // a batch is as large as it can be
  return asks_engine(config) ? kMostHeldByEngine : kMostHeld;
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

// nullopt: its file is gone, or cannot be read.
std::optional<std::string> stored_bytes(Store& store, const AttemptReply& reply) {
  if (reply.raw_file.empty()) return reply.raw;
  try {
    return read_file_beneath(store.data_dir(), reply.raw_file);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// To ask again would be to pay again, which is a person's word to give.
JudgeFailure lost_reply(const AttemptReply& reply) {
  return {JudgeFailureKind::kUnusable,
          "its reply was paid for and cannot be read any more: the file " + reply.raw_file + " is lost"};
}

}  // namespace

// Between one pass of a judge and the store: knows what the judge holds, hands it more, and acts on what it reports.
class JudgeSeat::Sink final : public JudgeSink {
 public:
  Sink(JudgeSeat& seat, const AnnotatorConfig& config)
      : seat_(seat),
        room_(seat.room_),
        config_(config),
        ledger_(asks_over_http(config)),
        saved_state_(seat.judge_->save_state()),
        store_(room_.store, options_with_state(seat, config)) {}

  // Those that are to be asked about go to the judge.
  void take_up(std::vector<PendingJudgment> pending) {
    pending = without_lost(std::move(pending));
    if (ledger_) read_unread(pending);
    for (const PendingJudgment& one : pending) {
      held_.insert(one.id);
      seat_.judge_->submit(request_of(one));
    }
  }

  // After the judge's run: everything is durable.
  void close() {
    store_.wait();
    const Json kept = seat_.judge_->save_state();
    if (!kept.is_null() && kept != saved_state_)
      room_.store.write([&](Writer& writer) { save_rate_state(writer, config_.name, kept); });
    pause_if_asked();
    // A batch is looked at in one short pass after another; its trouble lasts from one to the next.
    if (config_.kind != "batch") room_.troubles.clear(seat_.annotator_);
  }

  std::int64_t settled() const { return store_.settled() + lost_; }
  bool was_halted() const { return halted_; }

  std::vector<bool> before_send(std::span<const AttemptIntent> intents) override {
    std::vector<bool> admitted = store_.before_send(intents);
    pause_if_asked();
    return admitted;
  }
  void after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) override {
    store_.after_reply(attempt, reply, usage);
  }
  void after_failure(AttemptId attempt, const AttemptFailure& failure) override {
    store_.after_failure(attempt, failure);
  }
  bool may_resend(AttemptId attempt) override { return store_.may_resend(attempt); }
  void halted(const std::string& reason) override {
    halted_ = true;
    store_.halted(reason);
  }
  void finished(RequestId request, const JudgeOutcome& outcome) override {
    held_.erase(JudgmentId{request.value});
    store_.finished(request, outcome);
  }
  std::vector<bool> before_batch(const std::string& name, std::span<const AttemptIntent> intents) override {
    std::vector<bool> admitted = store_.before_batch(name, intents);
    pause_if_asked();
    return admitted;
  }
  void batch_created(const std::string& name, const std::string& provider_id) override {
    store_.batch_created(name, provider_id);
  }
  void batch_ended(const std::string& name, const std::string& failure) override { store_.batch_ended(name, failure); }
  std::vector<OpenBatch> open_batches() override { return store_.open_batches(); }

  void health_changed(const JudgeHealth& health) override {
    const auto waiting = static_cast<std::int64_t>(held_.size());
    if (health.answers) {
      const std::string text = "judge " + config_.name + " answers again";
      room_.troubles.clear(seat_.annotator_);
      room_.logger.info(text);
      room_.say(text);
      return;
    }
    const std::string text = trouble_text(config_.name, health, waiting);
    room_.troubles.set({seat_.annotator_, config_.name, text, room_.clock.wall_micros()});
    room_.logger.warning(text);
    room_.say(text);
  }

  void beat() override {
    store_.wait();  // what has ended must not be read as pending below
    if (const std::int64_t now = settled(); now != told_) {
      told_ = now;
      room_.settled();
    }
    pause_if_asked();
    const std::int64_t room = most_held(config_) - static_cast<std::int64_t>(held_.size());
    if (room <= 0) return;
    std::vector<PendingJudgment> more =
        room_.store.read([&](Reader& reader) { return waiting_judgments(reader, seat_.annotator_, room, held_); });
    if (!more.empty()) take_up(std::move(more));
  }

 private:
  static JudgeSinkOptions options_with_state(JudgeSeat& seat, const AnnotatorConfig& config) {
    JudgeSinkOptions options = sink_options(seat.room_.store, config, seat.room_.clock);
    options.state = [&seat] { return seat.judge_->save_state(); };
    options.warn = [&logger = seat.room_.logger](const std::string& text) { logger.warning(text); };
    return options;
  }

  // Not after the pass: what else waits would be refused one by one, and parked items keep a pass for hours.
  void pause_if_asked() {
    if (const auto why = store_.take_pause_reason()) seat_.pause_runs(*why);
  }

  // Judgments whose last request got lost are held for people, or sent again while the policy allows it.
  std::vector<PendingJudgment> without_lost(std::vector<PendingJudgment> pending) {
    if (!ledger_) return pending;
    const std::set<JudgmentId> lost =
        room_.store.read([&](Reader& reader) { return list_judgments_with_open_unknown(reader); });
    std::vector<JudgmentId> for_people;
    std::erase_if(pending, [&](const PendingJudgment& one) {
      if (!lost.contains(one.id) || store_.may_resend({})) return false;
      for_people.push_back(one.id);
      return true;
    });
    if (for_people.empty()) return pending;
    room_.store.write([&](Writer& writer) {
      for (const JudgmentId judgment : for_people) {
        fail_judgment(writer, judgment,
                      "unknown: the answer to a request was lost, and it may have been charged (cutd attempts)");
      }
    });
    lost_ += static_cast<std::int64_t>(for_people.size());
    return pending;
  }

  // Replies that were paid for before a crash and not read yet are read now: nothing is asked twice. They are taken
  // from `pending`.
  void read_unread(std::vector<PendingJudgment>& pending) {
    std::map<JudgmentId, UnreadReply> unread;
    for (UnreadReply& one :
         room_.store.read([&](Reader& reader) { return list_unread_replies(reader, config_.name); })) {
      unread.emplace(one.judgment, std::move(one));
    }
    std::erase_if(pending, [&](const PendingJudgment& one) {
      const auto found = unread.find(one.id);
      return found != unread.end() && read_stored(request_of(one), found->second);
    });
    store_.wait();
  }

  // false: it is to be asked again.
  bool read_stored(const JudgeRequest& request, const UnreadReply& unread) {
    const std::optional<std::string> bytes = stored_bytes(room_.store, unread.reply);
    if (!bytes) {
      store_.finished(request.id, lost_reply(unread.reply));
      return true;
    }
    const RawReply raw{*bytes, "application/json", static_cast<int>(unread.reply.status), unread.number};
    const std::optional<JudgeOutcome> outcome = seat_.judge_->read_stored(request, raw);
    if (outcome) store_.read_again(request.id, raw, *outcome);
    return outcome.has_value();
  }

  JudgeSeat& seat_;
  const JudgeRoom& room_;
  const AnnotatorConfig& config_;
  const bool ledger_;
  const Json saved_state_;
  StoreJudgeSink store_;
  std::set<JudgmentId> held_;  // by the judge
  std::int64_t lost_ = 0;
  std::int64_t told_ = 0;
  bool halted_ = false;
};

// Every active run of the annotator stops until a person has acted.
void JudgeSeat::pause_runs(const std::string& why) {
  room_.store.write([&](Writer& writer) {
    for (const Run& run : list_runs(writer, RunState::kActive)) {
      const std::vector<AnnotatorId> working = working_annotators(writer, frozen_annotator(run));
      if (std::find(working.begin(), working.end(), annotator_) != working.end()) pause_run(writer, run.id, why);
    }
  });
  room_.logger.warning(why);
  room_.say("paused: " + why);
  room_.settled();
}

void JudgeSeat::leave_place() {
  judge_.reset();
  room_.troubles.clear(annotator_);
}

// Its judge stays while its configuration does; prices and limits may have been given anew since.
bool JudgeSeat::take_place(const AnnotatorConfig& config) {
  Json wanted = annotator_json(config);
  if (judge_ && judge_config_ == wanted) return true;
  leave_place();
  try {
    judge_ = room_.judges(config);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUsage) throw;
    pause_runs("judge: annotator " + config.name + ": " + error.what());
    return false;
  }
  judge_config_ = std::move(wanted);
  const Json state = room_.store.read([&](Reader& reader) { return find_rate_state(reader, config.name); });
  if (!state.is_null()) judge_->restore_state(state);
  return true;
}

JudgeSeat::Pass JudgeSeat::judge(std::stop_token stop) {
  if (stop.stop_requested()) return {};
  auto [config, waiting] = room_.store.read([&](Reader& reader) {
    AnnotatorConfig read = annotator_config(reader, annotator_);
    return std::pair(read, waiting_judgments(reader, annotator_, most_held(read)));
  });
  if (waiting.empty()) {
    room_.troubles.clear(annotator_);
    return {};
  }
  if (!take_place(config)) return {true, 0};
  Sink sink(*this, config);
  sink.take_up(std::move(waiting));
  judge_->run(stop, sink);
  sink.close();
  // A judge on this machine is made anew, which checks that its model is still the run's; so is one that halted, as its
  // key or address may be corrected by then.
  if (!asks_over_http(config) || sink.was_halted()) leave_place();
  return {true, sink.settled()};
}

}  // namespace cutd
