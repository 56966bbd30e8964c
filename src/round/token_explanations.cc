#include "round/token_explanations.h"

#include <algorithm>

#include "core/error.h"
#include "dataset/model_text.h"
#include "dataset/prepare.h"
#include "store/adapters.h"
#include "store/browse.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/token_store.h"

namespace cutd {
namespace {

constexpr std::size_t kMostWanted = 1000;

ModelSpec model_of(Store& store, const ExplainedJudgment& what) {
  const auto parent = store.read([&](Reader& reader) -> std::optional<Adapter> {
    const auto round = find_round(reader, what.round);
    if (!round || !round->parent) return std::nullopt;
    return find_adapter(reader, *round->parent);
  });
  ModelSpec model = model_reference(what.frozen, parent, store.data_dir().string()).spec;
  model.dtype = what.frozen.config.train.dtype;
  return model;
}

TrainingExample example_of(Store& store, const ExplainedJudgment& what, const ModelText& text) {
  const auto stored = store.read([&](Reader& reader) {
    const auto browsed = find_browsed_response(reader, what.response);
    return StoredResponse{{browsed->instruction.text, browsed->instruction.input},
                          read_response_ids(reader, what.response),
                          browsed->finish_reason == "stop",
                          what.judgment_text,
                          {}};
  });
  auto example = prepare_stored(stored, text.prompts, text.encode, what.frozen.config.train.cutoff_len, text.eos_id);
  if (!example)
    throw Error(ErrorCode::kConflict, "the response is longer than the training's cut-off: no token of it trains");
  if (example->kind != ExampleKind::kAlignN) {
    throw Error(ErrorCode::kConflict, "the judgment finds nothing wrong: there is nothing to detect");
  }
  return std::move(*example);
}

}  // namespace

ExplainedJudgment find_explained(Reader& reader, ResponseId response, std::optional<JudgmentId> judgment) {
  const auto browsed = find_browsed_response(reader, response);
  if (!browsed) throw Error(ErrorCode::kNotFound, "there is no response " + std::to_string(response.value));
  if (!browsed->belongs.round) {
    throw Error(ErrorCode::kConflict,
                "response " + std::to_string(response.value) + " is of an evaluation: nothing trains on it");
  }
  const auto& all = browsed->judgments;
  const auto found = std::find_if(all.begin(), all.end(), [&](const BrowsedJudgment& row) {
    return judgment ? row.judgment.id == *judgment : row.judgment.label == JudgmentLabel::kNegative;
  });
  if (found == all.end() && judgment) {
    throw Error(ErrorCode::kNotFound, "response " + std::to_string(response.value) + " has no such judgment");
  }
  if (found == all.end() || found->judgment.label != JudgmentLabel::kNegative) {
    throw Error(ErrorCode::kConflict, "no judgment criticises response " + std::to_string(response.value));
  }
  const auto run = find_run(reader, *browsed->belongs.run);
  return {response,
          found->judgment.id,
          found->judgment.text,
          found->judgment.hash,
          frozen_run_of(*run),
          *browsed->belongs.round};
}

TokenExplanations::TokenExplanations(Store& store, Engine& engine, Logger& logger)
    : store_(store), engine_(engine), logger_(logger), thread_([this](std::stop_token stop) { work(stop); }) {}

TokenExplanations::~TokenExplanations() {
  thread_.request_stop();
  wake_.notify_all();
}

std::optional<Json> TokenExplanations::find_or_ask(const ExplainedJudgment& what) {
  if (auto kept = store_.read([&](Reader& reader) { return find_tokens(reader, what.judgment, what.judgment_hash); })) {
    return kept;
  }
  const std::scoped_lock lock(mutex_);
  if (const auto failed = failures_.find(what.judgment); failed != failures_.end()) {
    const std::string why = failed->second;
    failures_.erase(failed);
    throw Error(ErrorCode::kUnavailable, why);
  }
  if (waiting_.contains(what.judgment)) return std::nullopt;
  if (wanted_.size() >= kMostWanted) throw Error(ErrorCode::kUnavailable, "the engine is busy; ask later");
  waiting_.insert(what.judgment);
  wanted_.push_back(what);
  wake_.notify_all();
  return std::nullopt;
}

void TokenExplanations::work(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [&] { return !wanted_.empty(); })) {
    if (stop.stop_requested()) return;
    const ExplainedJudgment what = std::move(wanted_.front());
    wanted_.pop_front();
    lock.unlock();
    std::string failure;
    try {
      const Json tokens = explain(what, stop);
      store_.write([&](Writer& writer) { keep_tokens(writer, what.judgment, what.judgment_hash, tokens); });
    } catch (const std::exception& error) {
      failure = error.what();
      if (!stop.stop_requested())
        logger_.warning("tokens of response " + std::to_string(what.response.value) + ": " + failure);
    }
    lock.lock();
    waiting_.erase(what.judgment);
    if (!failure.empty()) failures_[what.judgment] = failure;
  }
}

Json TokenExplanations::explain(const ExplainedJudgment& what, std::stop_token stop) {
  const ModelText text = read_model_text(what.frozen.model_dir, what.frozen.config.prompt_template);
  const TrainingExample example = example_of(store_, what, text);
  ExplainRequest request;
  request.model = model_of(store_, what);
  request.objective = what.frozen.config.train.objective;
  request.prompt_ids = example.prompt_ids;
  request.prompt_judge_ids = example.prompt_judge_ids;
  request.response_ids = example.response_ids;
  const ExplainReply reply = engine_.explain(request, stop, [](const EngineProgress&) {});
  const std::size_t count = example.response_ids.size();
  if (reply.logprobs.size() != count || reply.logprobs_with_judgment.size() != count ||
      reply.detected.size() != count) {
    throw Error(ErrorCode::kBadInput, "the engine explained another number of tokens than it was asked about");
  }
  Json tokens = Json::array();
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t id = example.response_ids[i];
    tokens.push_back({{"id", id},
                      {"text", text.tokenizer.decode({&id, 1}, false)},
                      {"logprob", reply.logprobs[i]},
                      {"logprob_with_judgment", reply.logprobs_with_judgment[i]},
                      {"detected", static_cast<bool>(reply.detected[i])}});
  }
  return tokens;
}

}  // namespace cutd
