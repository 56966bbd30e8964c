#include "judge_client/llm_judge.h"

#include "core/error.h"
#include "judge_client/reply_check.h"
#include "judge_client/webhook_judge.h"

namespace cutd {
namespace {

JudgeFailureKind kind_of(FailureClass what) {
  switch (what) {
    case FailureClass::kRetryable: return JudgeFailureKind::kRetryable;
    case FailureClass::kUnknown: return JudgeFailureKind::kUnknown;
    case FailureClass::kUnusable: return JudgeFailureKind::kUnusable;
    case FailureClass::kPermanent:
    case FailureClass::kSpendLimit: return JudgeFailureKind::kPermanent;
  }
  return JudgeFailureKind::kUnusable;
}

// A refusal, or an answer that ended at its limit, would come again.
bool is_worth_asking_again(const ChatReply* reply, const JudgeOutcome& outcome) {
  const auto* failure = std::get_if<JudgeFailure>(&outcome);
  return failure != nullptr && failure->kind == JudgeFailureKind::kUnusable &&
         (reply == nullptr || reply->finish == ChatFinish::kWhole);
}

}  // namespace

ChatRequest judging_request(const LlmJudgeOptions& options, const JudgedText& text) {
  if (options.client.endpoint.format == WireFormat::kWebhook) return webhook_judging_request(text);
  const JudgingMessages messages = render_judging_prompt(options.prompt, text);
  ChatRequest request;
  request.model = options.model;
  if (!messages.system.empty()) request.messages.push_back({"system", messages.system});
  request.messages.push_back({"user", messages.user});
  request.max_tokens = options.prompt.max_tokens;
  request.temperature = options.temperature;
  request.schema = options.prompt.schema;
  if (!messages.item.empty() && !request.schema.is_null()) {
    request.schema["properties"]["item"]["const"] = messages.item;  // servers that constrain the reply keep it right
  }
  request.legacy_max_tokens = options.legacy_max_tokens;
  request.accepted_models = options.accepted_models;
  return request;
}

JudgeOutcome read_chat_reply(const JudgingPrompt& prompt, const JudgedText& text, const ChatReply& reply) {
  if (reply.finish != ChatFinish::kWhole) {
    return JudgeFailure{
        JudgeFailureKind::kUnusable,
        std::string("the judge's answer is ") + chat_finish_name(reply.finish) + " (" + reply.finish_name + ")"};
  }
  if (repeats_prompt(reply.text, prompt.system) || repeats_prompt(reply.text, prompt.user))
    return JudgeFailure{JudgeFailureKind::kUnusable, "the judge repeats its prompt"};
  const JudgeOutcome outcome = parse_verdict(prompt.rule, reply.text, prompt.rule.has_item ? item_code(text) : "");
  // A weak judge follows the instruction itself, or copies: "The capital of France is Paris." criticises nothing.
  const auto* verdict = std::get_if<Verdict>(&outcome);
  const bool criticises = verdict != nullptr && !verdict->perfect;
  if (criticises && (repeats_item(verdict->text, text.response) || repeats_item(verdict->text, text.instruction)))
    return JudgeFailure{JudgeFailureKind::kUnusable, "the judge repeats what it was to judge"};
  return outcome;
}

StoredReply read_stored_reply(const LlmJudgeOptions& options, const JudgeRequest& request, const RawReply& reply) {
  const JudgedText text = judged_text(request);
  const HttpReply http{reply.status, {{"content-type", reply.content_type}}, reply.bytes, 0};
  const ChatOutcome read = parse_chat_reply(options.client.endpoint.format, judging_request(options, text), http, 0);
  // Tries without an answer count as well: the bound is on what may be paid.
  const bool may_ask = reply.number <= options.max_unusable_retries;
  if (const auto* failure = std::get_if<ApiFailure>(&read)) {
    const JudgeOutcome outcome = JudgeFailure{kind_of(failure->what), failure->message};
    const bool another_model = failure->code == kAnotherModel;
    return {outcome, another_model, may_ask && !another_model && is_worth_asking_again(nullptr, outcome)};
  }
  const auto& answer = std::get<ChatReply>(read);
  const JudgeOutcome outcome = read_chat_reply(options.prompt, text, answer);
  return {outcome, false, may_ask && is_worth_asking_again(&answer, outcome)};
}

// What the chat client reports, in the judge's terms.
class LlmJudge::Bridge final : public ChatSink {
 public:
  Bridge(LlmJudge& judge, JudgeSink& sink, std::stop_source& stop) : judge_(judge), sink_(sink), stop_(stop) {}

  // Why asking on would be wrong; nullopt: it would not.
  const std::optional<std::string>& refusal() const { return refusal_; }

  std::vector<bool> before_send(std::span<const ChatAttempt> attempts) override {
    std::vector<AttemptIntent> intents;
    for (const ChatAttempt& attempt : attempts) {
      intents.push_back({id_of(attempt), asked(attempt.request).reserved_cost});
    }
    return sink_.before_send(intents);
  }

  void after_reply(ChatAttempt attempt, const HttpReply& reply, const std::optional<ChatUsage>& usage) override {
    std::optional<Usage> used;
    if (usage) used = Usage{usage->input_tokens, usage->output_tokens, price_of(judge_.options_.price, *usage)};
    sink_.after_reply(id_of(attempt), RawReply{reply.body, "application/json", reply.status}, used);
  }

  void after_failure(ChatAttempt attempt, const ApiFailure& failure) override {
    const bool charged_perhaps = failure.what == FailureClass::kUnknown || failure.what == FailureClass::kUnusable;
    sink_.after_failure(id_of(attempt), {charged_perhaps, failure.status, failure.message, failure.received});
  }

  bool may_resend(ChatAttempt attempt) override { return sink_.may_resend(id_of(attempt)); }

  void finished(std::int64_t request, const ChatResult& result) override {
    if (is_refused(result)) return;  // the item is as good as before and stays to be asked
    const JudgeOutcome outcome = outcome_of(result, asked(request).text);
    count_unusable(outcome);
    if (is_worth_asking_again(std::get_if<ChatReply>(&result), outcome) && ask_again(request)) return;
    {
      const std::lock_guard lock(judge_.mutex_);
      judge_.asked_.erase(request);
    }
    sink_.finished(RequestId{request}, outcome);
  }

  void health_changed(const ChatHealth& health) override {
    sink_.health_changed({health.answers, health.message, health.try_every_ms});
  }

  void beat() override {
    sink_.beat();
    judge_.report_unaskable(sink_);
  }

 private:
  bool is_refused(const ChatResult& result) {
    const auto* failure = std::get_if<ApiFailure>(&result);
    const bool permanent = failure != nullptr && failure->what == FailureClass::kPermanent;
    permanent_in_a_row_ = permanent ? permanent_in_a_row_ + 1 : 0;
    if (failure == nullptr || !is_about_annotator(*failure, permanent_in_a_row_)) return false;
    refuse(failure->message);
    return true;
  }

  void count_unusable(const JudgeOutcome& outcome) {
    judge_.streak_.add(outcome);
    if (const auto reason = judge_.streak_.reason()) refuse(*reason);
  }

  void refuse(const std::string& reason) {
    if (!refusal_) refusal_ = reason;
    stop_.request_stop();
  }

  bool ask_again(std::int64_t request) {
    if (stop_.stop_requested()) return false;
    const std::lock_guard lock(judge_.mutex_);
    Asked& asked = judge_.asked_.at(request);
    if (asked.unusable >= judge_.options_.max_unusable_retries) return false;
    ++asked.unusable;
    judge_.client_.submit(request, asked.chat);
    return true;
  }

  static AttemptId id_of(const ChatAttempt& attempt) { return {RequestId{attempt.request}, attempt.number}; }

  const Asked& asked(std::int64_t request) {
    const std::lock_guard lock(judge_.mutex_);
    return judge_.asked_.at(request);  // changed and removed by this thread alone
  }

  JudgeOutcome outcome_of(const ChatResult& result, const JudgedText& text) const {
    if (const auto* reply = std::get_if<ChatReply>(&result))
      return read_chat_reply(judge_.options_.prompt, text, *reply);
    if (const auto* failure = std::get_if<ApiFailure>(&result))
      return JudgeFailure{kind_of(failure->what), failure->message};
    return JudgeFailure{JudgeFailureKind::kCapped, "a spending cap is reached"};
  }

  LlmJudge& judge_;
  JudgeSink& sink_;
  std::stop_source& stop_;
  int permanent_in_a_row_ = 0;
  std::optional<std::string> refusal_;
};

LlmJudge::LlmJudge(LlmJudgeOptions options, const Clock& clock)
    : options_(std::move(options)), client_(options_.client, clock) {}

Json LlmJudge::save_state() const {
  Json state = client_.save_rate();
  state["unusable"] = streak_.save();
  return state;
}

void LlmJudge::restore_state(const Json& state) {
  if (state.contains("saved_micros")) client_.restore_rate(state);  // else it is that of another kind of judge
  if (state.contains("unusable")) streak_.restore(state.at("unusable"));
}

std::optional<JudgeOutcome> LlmJudge::read_stored(const JudgeRequest& request, const RawReply& reply) const {
  const StoredReply read = read_stored_reply(options_, request, reply);
  return read.another_model || read.ask_again ? std::nullopt : std::optional(read.outcome);
}

void LlmJudge::submit(JudgeRequest request) {
  const JudgedText text = judged_text(request);
  ChatRequest chat;
  try {
    chat = judging_request(options_, text);
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    unaskable_.emplace_back(request.id, JudgeFailure{JudgeFailureKind::kPermanent, error.what()});
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    asked_[request.id.value] = {text, most_cost(options_.price, chat), chat};
  }
  client_.submit(request.id.value, std::move(chat));
}

void LlmJudge::report_unaskable(JudgeSink& sink) {
  std::vector<std::pair<RequestId, JudgeFailure>> unaskable;
  {
    const std::lock_guard lock(mutex_);
    unaskable.swap(unaskable_);
  }
  for (const auto& [request, failure] : unaskable) sink.finished(request, failure);
}

void LlmJudge::run(std::stop_token stop, JudgeSink& sink) {
  report_unaskable(sink);
  std::stop_source ending;  // asked from outside, or by what the bridge saw
  const std::stop_callback outer(stop, [&ending] { ending.request_stop(); });
  Bridge bridge(*this, sink, ending);
  const std::optional<ApiFailure> pause = client_.run(ending.get_token(), bridge);
  if (pause) sink.halted(pause->message);
  else if (bridge.refusal()) sink.halted(*bridge.refusal());
  const std::lock_guard lock(mutex_);
  asked_.clear();  // what the client dropped is submitted anew
}

}  // namespace cutd
