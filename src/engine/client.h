// The daemon's face of the model process: starts it, asks it, watches it, restarts it.
//
// One thread of its own does all input and output; callers wait. The engine is started by the first
// request, not before, and again by the first request after it died, with a growing delay.
// A failure of the engine ends every open request with Error(kUnavailable) that says why, how the
// process ended and what it last printed; asking again starts a new one after the old one was reaped.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "engine/engine.h"
#include "engine/process_options.h"

namespace cutd {

class EngineConnection;

// `cutd-engine` beside the running program. Throws Error(kNotFound) that names --engine when it is absent.
std::filesystem::path find_engine_program();

// Thread-safe; calls of several threads queue in the engine, first in first out. Progress sinks run in
// the thread that called; what a sink throws cancels the request and is thrown from the call.
class EngineClient final : public Engine {
 public:
  // `clock` and `logger` must outlive this object.
  EngineClient(EngineProcessOptions options, const Clock& clock, Logger& logger);
  // Ends open calls with Error(kUnavailable), then the engine: shutdown request, then SIGKILL; reaped.
  ~EngineClient() override;

  LoadReply load(const ModelSpec& model, std::stop_token stop, const ProgressSink& progress) override;
  std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                          const ProgressSink& progress) override;
  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                         const ProgressSink& progress) override;
  ExplainReply explain(const ExplainRequest& request, std::stop_token stop, const ProgressSink& progress) override;
  TrainReply train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) override;
  MergeReply merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) override;

  // Starts the engine if need be and asks what it is: version, CPU, threads, devices (cutd doctor).
  Json describe(std::stop_token stop);

  EngineState state() const;

 private:
  const std::unique_ptr<EngineConnection> connection_;
};

}  // namespace cutd
