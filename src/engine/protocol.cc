#include "engine/protocol.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string_view>

#include "core/error.h"

namespace cutd {
namespace {

// Reads the members of one object and, at the end, refuses those nobody asked for.
class Members {
 public:
  Members(const Json& object, std::string origin) : object_(object), origin_(std::move(origin)) {
    if (!object.is_object()) throw Error(ErrorCode::kBadInput, origin_ + " is not an object");
  }

  template <typename T>
  void read(const char* key, T& target) {
    target = json_get<T>(object_, key, origin_);
    known_.push_back(key);
  }
  const Json& at(const char* key) {
    if (!object_.contains(key)) throw_json_member(origin_, key, "is missing");
    known_.push_back(key);
    return object_.at(key);
  }
  // JSON has no NaN: it travels as null.
  void read_number(const char* key, double& target) {
    const Json& value = at(key);
    if (value.is_null()) target = std::numeric_limits<double>::quiet_NaN();
    else if (value.is_number()) target = value.get<double>();
    else throw_json_member(origin_, key, "is not a number");
  }
  void finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        throw_json_member(origin_, key.c_str(), "is not known");
      }
    }
  }

 private:
  const Json& object_;
  const std::string origin_;
  std::vector<std::string_view> known_;
};

const Json& expect_array(const Json& value, const char* what) {
  if (!value.is_array()) throw Error(ErrorCode::kBadInput, std::string("engine protocol: ") + what + " is not a list");
  return value;
}

Json encode_sampling(SamplingConfig config) {
  OptionTable table;
  declare_sampling_options(table, config, "sampling");
  return table.effective().at("sampling");
}

SamplingConfig decode_sampling(const Json& value) {
  SamplingConfig config;
  OptionTable table;
  declare_sampling_options(table, config, "sampling");
  table.load(Json{{"sampling", value}}, "engine protocol");
  return config;
}

Json encode_train_config(TrainConfig config) {
  OptionTable table;
  declare_train_options(table, config);
  return table.effective();
}

Json encode_objective(ObjectiveConfig config) {
  OptionTable table;
  declare_objective_options(table, config);
  return table.effective().at("objective");
}

ObjectiveConfig decode_objective(const Json& value) {
  ObjectiveConfig config;
  OptionTable table;
  declare_objective_options(table, config);
  table.load(Json{{"objective", value}}, "engine protocol");
  return config;
}

TrainConfig decode_train_config(const Json& value) {
  TrainConfig config;
  OptionTable table;
  declare_train_options(table, config);
  table.load(value, "engine protocol");
  return config;
}

}  // namespace

Json encode(const ModelSpec& model) {
  return {{"model_dir", model.model_dir},
          {"adapter_dir", model.adapter_dir},
          {"dtype", model.dtype},
          {"device", model.device},
          {"threads", model.threads}};
}

template <>
ModelSpec decode<ModelSpec>(const Json& value) {
  ModelSpec model;
  Members members(value, "engine protocol: model");
  members.read("model_dir", model.model_dir);
  members.read("adapter_dir", model.adapter_dir);
  members.read("dtype", model.dtype);
  members.read("device", model.device);
  members.read("threads", model.threads);
  members.finish();
  return model;
}

Json encode(const GenerateRequest& request) {
  Json prompts = Json::array();
  for (const GeneratePrompt& prompt : request.prompts) prompts.push_back({{"ids", prompt.ids}, {"seed", prompt.seed}});
  return {{"model", encode(request.model)},
          {"sampling", encode_sampling(request.sampling)},
          {"max_batch", request.max_batch},
          {"prompts", std::move(prompts)}};
}

template <>
GenerateRequest decode<GenerateRequest>(const Json& value) {
  GenerateRequest request;
  Members members(value, "engine protocol: generate");
  request.model = decode<ModelSpec>(members.at("model"));
  request.sampling = decode_sampling(members.at("sampling"));
  members.read("max_batch", request.max_batch);
  for (const Json& row : expect_array(members.at("prompts"), "\"prompts\"")) {
    GeneratePrompt& prompt = request.prompts.emplace_back();
    Members fields(row, "engine protocol: prompt");
    fields.read("ids", prompt.ids);
    fields.read("seed", prompt.seed);
    fields.finish();
  }
  members.finish();
  return request;
}

Json encode(const ScoreRequest& request) {
  Json items = Json::array();
  for (const ScoreItem& item : request.items) items.push_back({{"ids", item.ids}, {"first", item.first}});
  return {{"model", encode(request.model)}, {"items", std::move(items)}};
}

template <>
ScoreRequest decode<ScoreRequest>(const Json& value) {
  ScoreRequest request;
  Members members(value, "engine protocol: score");
  request.model = decode<ModelSpec>(members.at("model"));
  for (const Json& row : expect_array(members.at("items"), "\"items\"")) {
    ScoreItem& item = request.items.emplace_back();
    Members fields(row, "engine protocol: item");
    fields.read("ids", item.ids);
    fields.read("first", item.first);
    fields.finish();
  }
  members.finish();
  return request;
}

Json encode(const TrainRequest& request) {
  return {{"model", encode(request.model)},
          {"manifest", request.manifest},
          {"output_dir", request.output_dir},
          {"checkpoint_dir", request.checkpoint_dir},
          {"init_adapter_dir", request.init_adapter_dir},
          {"config", encode_train_config(request.config)}};
}

template <>
TrainRequest decode<TrainRequest>(const Json& value) {
  TrainRequest request;
  Members members(value, "engine protocol: train");
  request.model = decode<ModelSpec>(members.at("model"));
  members.read("manifest", request.manifest);
  members.read("output_dir", request.output_dir);
  members.read("checkpoint_dir", request.checkpoint_dir);
  members.read("init_adapter_dir", request.init_adapter_dir);
  request.config = decode_train_config(members.at("config"));
  members.finish();
  return request;
}

Json encode(const MergeRequest& request) {
  return {{"model", encode(request.model)}, {"output_dir", request.output_dir}};
}

template <>
MergeRequest decode<MergeRequest>(const Json& value) {
  MergeRequest request;
  Members members(value, "engine protocol: merge");
  request.model = decode<ModelSpec>(members.at("model"));
  members.read("output_dir", request.output_dir);
  members.finish();
  return request;
}

Json encode(const LoadReply& reply) {
  return {{"device", reply.device},
          {"dtype", reply.dtype},
          {"threads", reply.threads},
          {"parameters", reply.parameters},
          {"cpu", reply.cpu}};
}

template <>
LoadReply decode<LoadReply>(const Json& value) {
  LoadReply reply;
  Members members(value, "engine protocol: load reply");
  members.read("device", reply.device);
  members.read("dtype", reply.dtype);
  members.read("threads", reply.threads);
  members.read("parameters", reply.parameters);
  members.read("cpu", reply.cpu);
  members.finish();
  return reply;
}

Json encode(const GenerateReply& reply) {
  Json responses = Json::array();
  for (const GeneratedResponse& response : reply) {
    responses.push_back({{"ids", response.ids},
                         {"text", response.text},
                         {"finish_reason", response.finish_reason},
                         {"logprobs", response.logprobs}});
  }
  return {{"responses", std::move(responses)}};
}

template <>
GenerateReply decode<GenerateReply>(const Json& value) {
  GenerateReply reply;
  Members members(value, "engine protocol: generate reply");
  for (const Json& row : expect_array(members.at("responses"), "\"responses\"")) {
    GeneratedResponse& response = reply.emplace_back();
    Members fields(row, "engine protocol: response");
    fields.read("ids", response.ids);
    fields.read("text", response.text);
    fields.read("finish_reason", response.finish_reason);
    fields.read("logprobs", response.logprobs);
    fields.finish();
  }
  members.finish();
  return reply;
}

Json encode(const ScoreReply& reply) { return {{"logprobs", reply}}; }

template <>
ScoreReply decode<ScoreReply>(const Json& value) {
  ScoreReply reply;
  Members members(value, "engine protocol: score reply");
  members.read("logprobs", reply);
  members.finish();
  return reply;
}

ExplainReply Engine::explain(const ExplainRequest&, std::stop_token, const ProgressSink&) {
  throw Error(ErrorCode::kUnavailable, "this engine explains nothing");
}

Json encode(const ExplainRequest& request) {
  return {{"model", encode(request.model)},
          {"objective", encode_objective(request.objective)},
          {"prompt_ids", request.prompt_ids},
          {"prompt_judge_ids", request.prompt_judge_ids},
          {"response_ids", request.response_ids}};
}

template <>
ExplainRequest decode<ExplainRequest>(const Json& value) {
  ExplainRequest request;
  Members members(value, "engine protocol: explain");
  request.model = decode<ModelSpec>(members.at("model"));
  request.objective = decode_objective(members.at("objective"));
  members.read("prompt_ids", request.prompt_ids);
  members.read("prompt_judge_ids", request.prompt_judge_ids);
  members.read("response_ids", request.response_ids);
  members.finish();
  return request;
}

Json encode(const ExplainReply& reply) {
  return {{"logprobs", reply.logprobs},
          {"logprobs_with_judgment", reply.logprobs_with_judgment},
          {"detected", reply.detected}};
}

template <>
ExplainReply decode<ExplainReply>(const Json& value) {
  ExplainReply reply;
  Members members(value, "engine protocol: explain reply");
  members.read("logprobs", reply.logprobs);
  members.read("logprobs_with_judgment", reply.logprobs_with_judgment);
  members.read("detected", reply.detected);
  members.finish();
  return reply;
}

Json encode(const TrainReply& reply) {
  return {{"steps", reply.steps},
          {"resumed_from_step", reply.resumed_from_step},
          {"final_loss", reply.final_loss},
          {"metrics", reply.metrics}};
}

template <>
TrainReply decode<TrainReply>(const Json& value) {
  TrainReply reply;
  Members members(value, "engine protocol: train reply");
  members.read("steps", reply.steps);
  members.read("resumed_from_step", reply.resumed_from_step);
  members.read_number("final_loss", reply.final_loss);
  reply.metrics = members.at("metrics");
  members.finish();
  return reply;
}

Json encode(const MergeReply& reply) { return {{"max_logit_difference", reply.max_logit_difference}}; }

template <>
MergeReply decode<MergeReply>(const Json& value) {
  MergeReply reply;
  Members members(value, "engine protocol: merge reply");
  members.read_number("max_logit_difference", reply.max_logit_difference);
  members.finish();
  return reply;
}

Json encode(const Heartbeat& heartbeat) { return {{"phase", heartbeat.phase}, {"progress", heartbeat.progress}}; }

template <>
Heartbeat decode<Heartbeat>(const Json& value) {
  Heartbeat heartbeat;
  Members members(value, "engine protocol: heartbeat");
  members.read("phase", heartbeat.phase);
  members.read("progress", heartbeat.progress);
  members.finish();
  return heartbeat;
}

Json encode(const ProgressNotification& notification) {
  const EngineProgress& progress = notification.progress;
  return {{"request", notification.request},
          {"phase", progress.phase},
          {"done", progress.done},
          {"total", progress.total},
          {"tokens_per_second", progress.tokens_per_second},
          {"detail", progress.detail}};
}

template <>
ProgressNotification decode<ProgressNotification>(const Json& value) {
  ProgressNotification notification;
  Members members(value, "engine protocol: progress");
  members.read("request", notification.request);
  members.read("phase", notification.progress.phase);
  members.read("done", notification.progress.done);
  members.read("total", notification.progress.total);
  members.read_number("tokens_per_second", notification.progress.tokens_per_second);
  notification.progress.detail = members.at("detail");
  members.finish();
  return notification;
}

}  // namespace cutd
