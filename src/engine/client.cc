#include "engine/client.h"

#include <system_error>
#include <utility>

#include "core/error.h"
#include "engine/connection.h"
#include "engine/protocol.h"

namespace cutd {

std::filesystem::path find_engine_program() {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path program = self.parent_path() / "cutd-engine";
  if (!std::filesystem::exists(program)) {
    throw Error(ErrorCode::kNotFound,
                "the model program " + program.string() + " is not there; build it, or name it with --engine PATH");
  }
  return program;
}

EngineClient::EngineClient(EngineProcessOptions options, const Clock& clock, Logger& logger)
    : connection_(std::make_unique<EngineConnection>(std::move(options), clock, logger)) {}

EngineClient::~EngineClient() = default;

LoadReply EngineClient::load(const ModelSpec& model, std::stop_token stop, const ProgressSink& progress) {
  return decode<LoadReply>(connection_->call(rpc_method::kLoad, encode(model), stop, progress));
}

std::vector<GeneratedResponse> EngineClient::generate(const GenerateRequest& request, std::stop_token stop,
                                                      const ProgressSink& progress) {
  return decode<GenerateReply>(connection_->call(rpc_method::kGenerate, encode(request), stop, progress));
}

std::vector<std::vector<double>> EngineClient::score(const ScoreRequest& request, std::stop_token stop,
                                                     const ProgressSink& progress) {
  return decode<ScoreReply>(connection_->call(rpc_method::kScore, encode(request), stop, progress));
}

ExplainReply EngineClient::explain(const ExplainRequest& request, std::stop_token stop, const ProgressSink& progress) {
  return decode<ExplainReply>(connection_->call(rpc_method::kExplain, encode(request), stop, progress));
}

TrainReply EngineClient::train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) {
  return decode<TrainReply>(connection_->call(rpc_method::kTrain, encode(request), stop, progress));
}

MergeReply EngineClient::merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) {
  return decode<MergeReply>(connection_->call(rpc_method::kMerge, encode(request), stop, progress));
}

Json EngineClient::describe(std::stop_token stop) {
  return connection_->call(rpc_method::kStatus, Json::object(), stop, {});
}

EngineState EngineClient::state() const { return connection_->state(); }

}  // namespace cutd
