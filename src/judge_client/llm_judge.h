// A judge that asks a language model over HTTP: prompt, ChatClient, parser and price together. It knows the sink, not
// the store: every attempt is admitted by it before a byte is sent, every reply handed to it before it is read.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "judge_client/judge.h"
#include "judge_client/judging_prompt.h"
#include "judge_client/price.h"
#include "judge_client/unusable_streak.h"
#include "llm_api/chat_client.h"

namespace cutd {

struct LlmJudgeOptions {
  ChatClientOptions client;  // endpoint with its key, limits, retries
  JudgingPrompt prompt;
  std::string model;
  std::vector<std::string> accepted_models;  // names that replies may bear beside it
  std::optional<double> temperature;
  TokenPrice price;
  bool legacy_max_tokens = true;  // OpenAI: "max_tokens"; false: "max_completion_tokens"
  // How often an item is asked about again whose whole answer is no judgment (a page, another item's answer, no JSON);
  // each is an attempt and paid. A refusal or an answer that ended at its limit is not: it would come again.
  std::int64_t max_unusable_retries = 0;
};

// The request that a judge of these options makes for a text; estimates use it too. Error(kBadInput) as
// render_judging_prompt().
ChatRequest judging_request(const LlmJudgeOptions& options, const JudgedText& text);

class LlmJudge final : public Judge {
 public:
  // Error(kUsage) for an unusable endpoint.
  LlmJudge(LlmJudgeOptions options, const Clock& clock);

  void submit(JudgeRequest request) override;
  // Ends early, after sink.halted(), when the provider's credit is used up, when it asks for a very long wait, when
  // nobody was reached for long, when what is wrong is not a request but the annotator (is_about_annotator()), and
  // after twenty answers in a row that are no judgments: asking on would fail, and pay for, every item.
  void run(std::stop_token stop, JudgeSink& sink) override;

  // The rate limiter's memory, and answers in a row that were no judgments.
  Json save_state() const override;
  void restore_state(const Json& state) override;

  // nullopt, so that it is asked again: for what another model answered, which says nothing about the item (a person
  // has resumed since), and for what max_unusable_retries allows. Pure.
  std::optional<JudgeOutcome> read_stored(const JudgeRequest& request, const RawReply& reply) const override;

 private:
  class Bridge;

  void report_unaskable(JudgeSink& sink);

  struct Asked {
    JudgedText text;
    std::int64_t reserved_cost = 0;  // of one attempt
    ChatRequest chat;
    std::int64_t unusable = 0;  // answers so far
  };

  const LlmJudgeOptions options_;
  ChatClient client_;
  UnusableStreak streak_;
  std::mutex mutex_;
  std::map<std::int64_t, Asked> asked_;                        // by request; guarded by mutex_
  std::vector<std::pair<RequestId, JudgeFailure>> unaskable_;  // guarded by mutex_
};

// What a whole or partial reply of the model says about `text`. Pure.
JudgeOutcome read_chat_reply(const JudgingPrompt& prompt, const JudgedText& text, const ChatReply& reply);

// What a reply says to a request that these options once made. Pure.
struct StoredReply {
  JudgeOutcome outcome;
  bool another_model = false;  // the annotator's fault; it says nothing about the item
  bool ask_again = false;      // no judgment, not for a refusal or a limit, and max_unusable_retries allows one more
};
StoredReply read_stored_reply(const LlmJudgeOptions& options, const JudgeRequest& request, const RawReply& reply);

}  // namespace cutd
