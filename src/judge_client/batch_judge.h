// A judge that sends its requests as batches to OpenAI or Anthropic: half the price, an answer within a day. One run()
// is one look: it gathers what waits, creates batches, asks how the open ones are, settles those that ended, and
// returns. Batches live in the sink, so they go on over restarts; one whose creation's answer was lost is looked up
// before anything is sent again, so that nothing is paid twice (reliability P2b).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "judge_client/llm_judge.h"
#include "llm_api/batch_api.h"
#include "llm_api/http_client.h"

namespace cutd {

struct BatchOptions {
  std::int64_t max_requests = 10'000;  // of one batch
  std::int64_t max_bytes = 100'000'000;
  std::int64_t poll_ms = 60'000;
  std::int64_t gather_ms = 60'000;    // how long a first request waits for company
  std::int64_t appears_ms = 300'000;  // a batch that the provider does not list so long after was never created
  double price_factor = 0.5;          // of the single requests' price
};

class BatchJudge final : public Judge {
 public:
  // Error(kUsage) for an unusable endpoint.
  BatchJudge(LlmJudgeOptions options, BatchOptions batch, const Clock& clock);

  void submit(JudgeRequest request) override;
  void run(std::stop_token stop, JudgeSink& sink) override;

  // When it looked last, since when something waits to be sent, and answers in a row that were no judgments.
  Json save_state() const override;
  void restore_state(const Json& state) override;
  std::optional<JudgeOutcome> read_stored(const JudgeRequest& request, const RawReply& reply) const override;

 private:
  struct Stopped {};  // thrown and caught inside: asked to stop
  struct Halted {     // thrown and caught inside: asking on would be wrong
    std::string reason;
  };

  void look(std::stop_token stop);
  void look_at(const OpenBatch& batch);
  void find(const OpenBatch& batch);
  std::optional<std::string> find_by_name(const OpenBatch& batch);
  bool is_of(const OpenBatch& batch, const BatchState& candidate);
  void settle(const OpenBatch& batch, const BatchState& state);
  void settle_one(AttemptId attempt, const BatchResult& result);
  void settle_refused(AttemptId attempt, const RawReply& raw, const std::optional<Usage>& usage);
  void read_whole(AttemptId attempt, const RawReply& raw);
  void give_back(AttemptId attempt, const std::string& reason, const std::string& raw = "");
  void learn(const StoredReply& read) const;
  void halt_when_settled(const std::string& reason) const;
  void send_waiting(const std::vector<OpenBatch>& open);
  void send_batch(const std::vector<JudgeRequest>& requests);
  void create(const std::string& name, const std::vector<BatchItem>& items);

  // A reply of status 200 as JSON; nullopt where trying later may help. Throws Halted and Stopped.
  std::optional<Json> ask_json(HttpRequest request);
  std::optional<std::string> ask(HttpRequest request);
  HttpOutcome exchange(HttpRequest request);
  void tell_health();  // once a look, and only what changed
  std::int64_t at_discount(std::int64_t cost) const;

  // Constant after construction.
  const LlmJudgeOptions options_;
  const BatchOptions batch_;
  const Clock& clock_;

  // Owned by the thread of run().
  HttpClient http_;
  JudgeSink* sink_ = nullptr;
  std::stop_token stop_;
  std::int64_t looked_micros_ = 0;
  std::int64_t waiting_since_micros_ = 0;  // 0: nothing waits
  bool asked_ = false;                     // in this look
  std::optional<std::string> trouble_;     // why something of this look has to be tried again
  bool answers_ = true;                    // as the sink was told
  std::map<std::int64_t, JudgeRequest> requests_;
  // What other tasks' looks settled is read from the store, and says as much about the annotator: hence mutable.
  mutable UnusableStreak streak_;
  mutable std::optional<std::string> halt_;  // why nothing more is sent once everything that has ended is settled

  std::mutex mutex_;
  std::vector<JudgeRequest> submitted_;  // guarded by mutex_
};

}  // namespace cutd
