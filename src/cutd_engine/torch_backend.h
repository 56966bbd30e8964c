// The real backend of `cutd-engine serve`: one resident model that generates, scores, trains and is merged. Weights
// are loaded once; a request's adapter is folded into them (Policy), and training starts from that very fold.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cutd_engine/inference.h"
#include "engine/serve_loop.h"

namespace cutd {

// Calls by one thread, but for describe(). Between calls the weights and, while sampling options allow, the cache
// arena stay; training and merging free the arena first.
class TorchBackend final : public EngineBackend {
 public:
  TorchBackend();

  Json describe() const override;
  LoadReply load(const ModelSpec& model, std::stop_token stop, const ProgressSink& progress) override;
  std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                          const ProgressSink& progress) override;
  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                         const ProgressSink& progress) override;
  ExplainReply explain(const ExplainRequest& request, std::stop_token stop, const ProgressSink& progress) override;
  TrainReply train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) override;
  MergeReply merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) override;

 private:
  LoadedModel& use(const ModelSpec& model, const ProgressSink& progress);
  Generator& generator_for(const ModelSpec& model, std::int64_t max_batch);

  const std::string cpu_;
  const std::vector<std::string> devices_;
  std::optional<ModelSpec> spec_;  // what model_ is
  std::unique_ptr<LoadedModel> model_;
  std::unique_ptr<Generator> generator_;
  std::int64_t generator_batch_ = 0;
  std::int64_t generator_threads_ = 0;
};

}  // namespace cutd
