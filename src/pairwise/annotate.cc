#include "pairwise/annotate.h"

#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "pairwise/journal.h"

namespace cutd {
namespace {

struct Work {
  OutputPair pair;
  std::string key;
  std::vector<std::size_t> rows;  // of the annotations
  bool identical = false;
  bool capped = false;
  bool dropped = false;  // submitted and not worked on to its end
  std::string failure;   // of this call
};

std::vector<Work> distinct_pairs(const std::vector<PairAnnotation>& pairs, const PairwiseEvaluator& evaluator) {
  const std::string version = evaluator_version(evaluator);
  std::map<std::string, std::size_t> places;
  std::vector<Work> work;
  for (std::size_t row = 0; row < pairs.size(); ++row) {
    const PairAnnotation& pair = pairs[row];
    const std::string key =
        sha256_hex(Json::array({version, pair.instruction, pair.output_1, pair.output_2}).dump()).substr(0, 32);
    const auto [place, is_new] = places.emplace(key, work.size());
    if (is_new) {
      work.push_back({{pair.instruction, pair.output_1, pair.output_2}, key, {}});
      work.back().identical = pair.output_1 == pair.output_2;
    }
    work[place->second].rows.push_back(row);
  }
  return work;
}

WireFormat wire_format_of(const PairwiseEvaluator& evaluator) {
  return evaluator.api == "anthropic" ? WireFormat::kAnthropic : WireFormat::kOpenAi;
}

bool costs(const PairwiseEvaluator& evaluator) { return evaluator.input_price > 0 || evaluator.output_price > 0; }

// The ledger of this command: reserves before sending, settles with the reply.
class PairSink final : public ChatSink {
 public:
  PairSink(const AnnotateOptions& options, PairJournal& journal, std::vector<Work>& work, AnnotateProgress& progress,
           const std::function<void(const AnnotateProgress&)>& on_progress)
      : options_(options), journal_(journal), work_(work), progress_(progress), on_progress_(on_progress) {}

  // Asked from outside, or by what this sink saw; `refusal` then says what is wrong with key, URL, model or
  // certificate.
  std::stop_source& ending() { return ending_; }
  const std::string& refusal() const { return refusal_; }

  std::vector<bool> before_send(std::span<const ChatAttempt> attempts) override {
    std::vector<bool> answers;
    std::vector<JournalAttempt> rows;
    std::int64_t reserved = journal_.spent();
    for (const ChatAttempt& attempt : attempts) {
      Work& work = work_[static_cast<std::size_t>(attempt.request)];
      const std::int64_t most = most_pair_cost(options_.evaluator, pairwise_chat(options_.evaluator, work.pair));
      const std::int64_t request_cap = options_.max_request_cost > 0 ? options_.max_request_cost : options_.max_cost;
      answers.push_back(!costs(options_.evaluator) || (reserved + most <= options_.max_cost && most <= request_cap));
      if (!answers.back()) continue;
      reserved += most;
      rows.push_back({work.key, journal_.state(work.key).attempts + 1, most});
    }
    journal_.begin(rows);
    return answers;
  }

  void after_reply(ChatAttempt attempt, const HttpReply& reply, const std::optional<ChatUsage>& usage) override {
    const Work& work = work_[static_cast<std::size_t>(attempt.request)];
    const std::int64_t most = most_pair_cost(options_.evaluator, pairwise_chat(options_.evaluator, work.pair));
    std::int64_t cost = usage ? pair_cost(options_.evaluator, *usage) : most;
    if (reply.status != 200) cost = 0;
    journal_.settle(work.key, journal_.state(work.key).attempts, cost, reply);
    report();
  }

  void after_failure(ChatAttempt attempt, const ApiFailure& failure) override {
    const Work& work = work_[static_cast<std::size_t>(attempt.request)];
    const bool charged = failure.what == FailureClass::kUnknown || failure.what == FailureClass::kUnusable;
    journal_.fail(work.key, journal_.state(work.key).attempts, charged, failure.message);
  }

  bool may_resend(ChatAttempt) override { return options_.resend_unknown; }

  void finished(std::int64_t request, const ChatResult& result) override {
    if (is_refused(result)) return;  // the pair stays to be asked about
    Work& work = work_[static_cast<std::size_t>(request)];
    work.dropped = false;
    if (const auto* failure = std::get_if<ApiFailure>(&result)) work.failure = failure->message;
    work.capped = std::holds_alternative<ChatCapped>(result);
    ++progress_.finished;
    report();
  }

 private:
  bool is_refused(const ChatResult& result) {
    const auto* failure = std::get_if<ApiFailure>(&result);
    const bool permanent = failure != nullptr && failure->what == FailureClass::kPermanent;
    permanent_in_a_row_ = permanent ? permanent_in_a_row_ + 1 : 0;
    if (!permanent || !is_about_annotator(*failure, permanent_in_a_row_)) return false;
    if (refusal_.empty()) refusal_ = failure->message;
    ending_.request_stop();
    return true;
  }

  void report() {
    progress_.spent = journal_.spent();
    if (on_progress_) on_progress_(progress_);
  }

  const AnnotateOptions& options_;
  PairJournal& journal_;
  std::vector<Work>& work_;
  AnnotateProgress& progress_;
  const std::function<void(const AnnotateProgress&)>& on_progress_;
  std::stop_source ending_;
  int permanent_in_a_row_ = 0;
  std::string refusal_;
};

bool must_ask(const JournalState& state, bool resend_unknown) {
  return !state.reply && (!state.open || resend_unknown);
}

Json choice_of(const HttpReply& reply) {
  const Json body = parse_json(reply.body, "reply");
  return body.contains("choices") ? body["choices"].front() : body;
}

// What the journal says about a pair, into its annotations.
void write_verdict(const Work& work, const JournalState& state, const AnnotateOptions& options, const Clock& clock,
                   AnnotateResult& result) {
  PairVerdict verdict;
  Json raw;
  if (work.identical) {
    verdict.preference = 1.5;
  } else if (state.reply) {
    const ChatOutcome outcome =
        parse_chat_reply(wire_format_of(options.evaluator), pairwise_chat(options.evaluator, work.pair), *state.reply,
                         clock.wall_micros());
    if (const auto* reply = std::get_if<ChatReply>(&outcome)) {
      verdict = parse_pair_reply(options.evaluator, work.pair, *reply);
      raw = options.evaluator.parser == "ranking" ? Json(reply->text) : choice_of(*state.reply);
    } else {
      verdict.reason = std::get<ApiFailure>(outcome).message;
    }
    if (!verdict.preference) {
      ++result.unparsed;
      ++result.reasons[verdict.reason];
    }
  } else if (state.open) {
    verdict.reason = state.failure.empty() ? "the answer was lost; it may have been charged" : state.failure;
    ++result.failed;
    ++result.unknown;
    ++result.reasons[verdict.reason];
  } else if (work.capped) {
    verdict.reason = "not asked: the cap is reached";
    ++result.capped;
  } else if (work.dropped) {
    verdict.reason = "not asked yet";
    ++result.left;
  } else {
    verdict.reason = work.failure.empty() ? state.failure : work.failure;
    ++result.failed;
    ++result.reasons[verdict.reason];
  }
  for (const std::size_t row : work.rows) {
    PairAnnotation& annotation = result.annotations[row];
    annotation.preference = verdict.preference;
    annotation.other["price_per_example"] = static_cast<double>(state.reply_cost) / 1e6;
    annotation.other["time_per_example"] =
        state.reply ? Json(static_cast<double>(state.reply->elapsed_ms) / 1000) : Json();
    annotation.other["raw_completion"] = raw;
    if (!verdict.preference) annotation.other["failure"] = verdict.reason;
  }
}

void check_caps(const AnnotateOptions& options) {
  if (costs(options.evaluator) && options.max_cost <= 0) {
    throw Error(ErrorCode::kUsage, "the evaluator \"" + options.evaluator.name +
                                       "\" has a price: say how much may be spent in all (--max-usd)");
  }
}

}  // namespace

AnnotateResult annotate_pairs(std::vector<PairAnnotation> pairs, const AnnotateOptions& options, const Clock& clock,
                              std::stop_token stop, const std::function<void(const AnnotateProgress&)>& on_progress) {
  check_caps(options);
  PairJournal journal(options.journal);
  std::vector<Work> work = distinct_pairs(pairs, options.evaluator);
  AnnotateResult result;
  result.annotations = std::move(pairs);
  AnnotateProgress& progress = result.progress;
  ChatClientOptions client_options;
  client_options.endpoint = {wire_format_of(options.evaluator), options.evaluator.base_url, options.key};
  client_options.http = options.http;
  client_options.rate = options.rate;
  client_options.retry = options.retry;
  ChatClient client(client_options, clock);
  for (std::size_t i = 0; i < work.size(); ++i) {
    ++progress.pairs;
    const JournalState& state = journal.state(work[i].key);
    if (work[i].identical) ++progress.identical;
    else if (state.reply) ++progress.reused;
    else if (must_ask(state, options.resend_unknown)) {
      ++progress.asked;
      work[i].dropped = true;
      client.submit(static_cast<std::int64_t>(i), pairwise_chat(options.evaluator, work[i].pair));
    }
  }
  PairSink sink(options, journal, work, progress, on_progress);
  const std::stop_callback outer(stop, [&sink] { sink.ending().request_stop(); });
  const std::optional<ApiFailure> pause = client.run(sink.ending().get_token(), sink);
  result.paused = pause ? pause->message : sink.refusal();
  for (const Work& item : work) write_verdict(item, journal.state(item.key), options, clock, result);
  progress.spent = journal.spent();
  return result;
}

AnnotateEstimate estimate_annotation(const std::vector<PairAnnotation>& pairs, const PairwiseEvaluator& evaluator) {
  AnnotateEstimate estimate;
  for (const Work& work : distinct_pairs(pairs, evaluator)) {
    if (work.identical) continue;
    ++estimate.calls;
    estimate.most_cost += most_pair_cost(evaluator, pairwise_chat(evaluator, work.pair));
  }
  return estimate;
}

}  // namespace cutd
