#include "round/engine_judge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "judge_client/llm_judge.h"
#include "judge_client/markers.h"
#include "round/run_start.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "weights/fingerprint.h"
#include "weights/model_config.h"

namespace cutd {
namespace {

std::vector<std::string> special_tokens(const Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (const TokenId id : tokenizer.special_ids()) {
    if (const auto text = tokenizer.id_to_token(id)) texts.push_back(*text);
  }
  return texts;
}

JudgeFailure about_item(const std::string& reason) { return {JudgeFailureKind::kPermanent, reason}; }

ChatReply reply_of(const GeneratedResponse& response) {
  ChatReply reply;
  reply.text = response.text;
  reply.finish_name = response.finish_reason;
  if (response.finish_reason == "stop") reply.finish = ChatFinish::kWhole;
  if (response.finish_reason == "length") reply.finish = ChatFinish::kTruncated;
  return reply;
}

}  // namespace

ChatEncoder read_chat_encoder(const std::filesystem::path& model_dir) {
  const Tokenizer tokenizer = Tokenizer::from_directory(model_dir);
  return [tokenizer, chat = ChatTemplate::from_directory(model_dir),
          special = special_tokens(tokenizer)](const JudgingMessages& messages) {
    Json turns = Json::array();
    if (!messages.system.empty())
      turns.push_back({{"role", "system"}, {"content", break_markers(messages.system, special)}});
    turns.push_back({{"role", "user"}, {"content", break_markers(messages.user, special)}});
    ChatOptions options;
    options.add_generation_prompt = true;
    options.now = 0;  // a judge must not change from day to day
    return encode_chat(tokenizer, chat, turns, options).ids;
  };
}

void EngineJudge::submit(JudgeRequest request) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(request));
}

void EngineJudge::run(std::stop_token stop, JudgeSink& sink) {
  while (!stop.stop_requested()) {
    const std::vector<JudgeRequest> requests = take_unit();
    if (requests.empty()) return;
    const std::vector<Asked> unit = admit(render(requests, sink), sink);
    if (!unit.empty() && !judge_unit(unit, stop, sink)) break;
  }
  const std::lock_guard lock(mutex_);
  queue_.clear();
}

std::vector<JudgeRequest> EngineJudge::take_unit() {
  const std::lock_guard lock(mutex_);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kUnit));
  std::vector<JudgeRequest> unit(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return unit;
}

std::vector<EngineJudge::Asked> EngineJudge::render(const std::vector<JudgeRequest>& requests, JudgeSink& sink) const {
  std::vector<Asked> unit;
  for (const JudgeRequest& request : requests) {
    try {
      const JudgedText text = judged_text(request);
      Asked asked{{request.id, 1}, text, options_.encode(render_judging_prompt(options_.prompt, text))};
      if (static_cast<std::int64_t>(asked.ids.size()) >= options_.most_ids) {
        throw Error(ErrorCode::kBadInput, "the judging prompt has " + std::to_string(asked.ids.size()) +
                                              " tokens, the model takes " + std::to_string(options_.most_ids) +
                                              " with its answer");
      }
      unit.push_back(std::move(asked));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadInput) throw;
      sink.finished(request.id, about_item(error.what()));
    }
  }
  return unit;
}

std::vector<EngineJudge::Asked> EngineJudge::admit(std::vector<Asked> asked, JudgeSink& sink) const {
  if (asked.empty()) return asked;
  std::vector<AttemptIntent> intents;
  intents.reserve(asked.size());
  for (const Asked& one : asked) intents.push_back({one.attempt, 0});
  const std::vector<bool> admitted = sink.before_send(intents);
  std::vector<Asked> unit;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (admitted.at(i)) unit.push_back(std::move(asked[i]));
    else sink.finished(asked[i].attempt.request, JudgeFailure{JudgeFailureKind::kCapped, "not admitted"});
  }
  return unit;
}

// False: nothing more can be asked now.
bool EngineJudge::judge_unit(const std::vector<Asked>& unit, const std::stop_token& stop, JudgeSink& sink) {
  std::vector<GeneratedResponse> responses;
  try {
    responses = generate(unit, stop);
  } catch (const Error& error) {
    // Every prompt was checked: what the engine refuses is the model, and the items are as good as before.
    for (const Asked& asked : unit) sink.after_failure(asked.attempt, {false, 0, error.what()});
    if (!stop.stop_requested()) sink.halted(error.what());
    return false;
  }
  for (std::size_t i = 0; i < unit.size(); ++i) settle(unit[i], responses[i], sink);
  return true;
}

std::vector<GeneratedResponse> EngineJudge::generate(const std::vector<Asked>& unit, const std::stop_token& stop) {
  GenerateRequest request;
  request.model = options_.model;
  request.sampling.max_new_tokens = options_.prompt.max_tokens;
  for (const Asked& asked : unit) request.prompts.push_back({asked.ids, 0});  // greedy: the seed decides nothing
  for (int tries = 1;; ++tries) {
    request.max_batch = max_batch_;
    try {
      std::vector<GeneratedResponse> responses = engine_.generate(request, stop, {});
      if (responses.size() == unit.size()) return responses;
      throw Error(ErrorCode::kInternal, "the engine answered " + std::to_string(responses.size()) + " of " +
                                            std::to_string(unit.size()) + " prompts of a unit");
    } catch (const Error& error) {
      const bool too_large = error.code() == ErrorCode::kResource && max_batch_ > 1;
      if (too_large) max_batch_ /= 2;
      else if (error.code() != ErrorCode::kUnavailable || tries >= kTries || stop.stop_requested()) throw;
    }
  }
}

void EngineJudge::settle(const Asked& asked, const GeneratedResponse& response, JudgeSink& sink) const {
  const RawReply raw{response.text};
  sink.after_reply(
      asked.attempt, raw,
      Usage{static_cast<std::int64_t>(asked.ids.size()), static_cast<std::int64_t>(response.ids.size()), 0});
  sink.finished(asked.attempt.request, read_chat_reply(options_.prompt, asked.text, reply_of(response)));
}

LlmAnnotator with_model(const LlmAnnotator& config, const std::filesystem::path& data_dir) {
  LlmAnnotator frozen = config;
  frozen.model = std::filesystem::absolute(find_model(config.model, data_dir)).lexically_normal().string();
  frozen.model_hash = model_fingerprint(frozen.model);
  return frozen;
}

std::unique_ptr<Judge> make_engine_judge(const LlmAnnotator& config, Engine& engine,
                                         const std::filesystem::path& data_dir) {
  try {
    const LlmAnnotator found = with_model(config, data_dir);
    if (!config.model_hash.empty() && config.model_hash != found.model_hash) {
      throw Error(ErrorCode::kUsage,
                  found.model + " is not the model that the run was started with: its files changed");
    }
    EngineJudgeOptions options;
    options.model = {found.model, "", config.dtype, config.device, 0};
    options.prompt = prompt_of(config, "llm.prompt");
    options.encode = read_chat_encoder(found.model);
    options.most_ids = read_model_config(found.model).max_position_embeddings;
    return std::make_unique<EngineJudge>(std::move(options), engine);
  } catch (const Error& error) {
    throw Error(ErrorCode::kUsage, std::string("llm.model: ") + error.what());
  }
}

}  // namespace cutd
