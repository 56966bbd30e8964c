// Where judges report to: the store. A judgment's id is the judge's request id.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "judge_client/judge.h"
#include "store/attempts.h"
#include "store/store.h"

namespace cutd {

// How an annotator's attempts are kept.
struct JudgeSinkOptions {
  bool ledger = false;            // write-ahead attempts with reservations: everything that goes over the network
  bool resend_unknown = false;    // else they are held
  std::int64_t resends_left = 0;  // of today
  std::string annotator = "";     // whose rate limiter's state is kept, and for messages
  std::function<Json()> state;    // what the judge must remember over a restart: kept with each reservation
  std::function<void(const std::string&)> warn;  // for the operator; called by wait(). Empty: nobody listens
};

// One thread. A reply is handed to the store's writer as it comes, before it is read; what it says follows as a command
// of its own. So a reply that cannot be read, or a crash while it is, costs no second request: its attempt is settled,
// and the next pass reads the stored reply again (round/judging.h). Commands share commits; wait() returns when all
// are durable.
class StoreJudgeSink final : public JudgeSink {
 public:
  explicit StoreJudgeSink(Store& store, JudgeSinkOptions options = {}) : store_(store), options_(std::move(options)) {}

  // Counts the attempts durably, and with a ledger reserves their cost. Without one, what costs money is refused.
  std::vector<bool> before_send(std::span<const AttemptIntent> intents) override;
  void after_reply(AttemptId attempt, const RawReply& reply, const std::optional<Usage>& usage) override;
  void after_failure(AttemptId attempt, const AttemptFailure& failure) override;
  bool may_resend(AttemptId attempt) override;
  void finished(RequestId request, const JudgeOutcome& outcome) override;
  void halted(const std::string& reason) override;
  std::vector<bool> before_batch(const std::string& name, std::span<const AttemptIntent> intents) override;
  void batch_created(const std::string& name, const std::string& provider_id) override;
  void batch_ended(const std::string& name, const std::string& failure) override;
  std::vector<OpenBatch> open_batches() override;

  // What a reply says that an earlier daemon stored and did not come to read.
  void read_again(RequestId request, const RawReply& reply, const JudgeOutcome& outcome);

  // Throws what a write threw, except that a judgment someone else settled first is dropped. Warns of charges above
  // their reservations.
  void wait();

  // Why the run must pause: credit used up, a cap reached. nullopt: it need not. Whoever takes it pauses.
  std::optional<std::string> take_pause_reason();
  std::int64_t settled() const { return settled_; }  // requests that ended with a verdict or a failure

 private:
  using AttemptEnd = std::function<void(Writer&)>;
  struct Settlement {
    AttemptRowId attempt;
    std::future<std::int64_t> excess;  // of the charge above the reservation
  };

  void warn_of_excess(const std::vector<std::pair<AttemptRowId, std::int64_t>>& charges) const;
  void end_attempt(AttemptEnd end);
  std::vector<bool> reserve(std::span<const AttemptIntent> intents, const std::string& batch = "");
  AttemptReply stored_reply(const RawReply& reply, const std::optional<Usage>& usage) const;
  AttemptRaw keep(const std::string& bytes) const;

  Store& store_;
  JudgeSinkOptions options_;
  std::map<RequestId, std::string> replies_;    // of requests that are not finished
  std::map<AttemptId, AttemptRowId> attempts_;  // under way
  std::optional<std::string> pause_reason_;
  std::int64_t settled_ = 0;
  std::vector<std::future<void>> writes_;
  std::vector<Settlement> settlements_;
};

}  // namespace cutd
