// RehearsalEngine as a program, in the place of cutd-engine: whole runs of the daemon and of `cutd demo` without a
// model. Usage: rehearsal_engine DELAY_MS [serve --rpc-fd 3 --heartbeat-ms N], or rehearsal_engine model FOLDER to
// write the model folder that goes with it.
#include <cstdlib>
#include <string>

#include "engine/child_process.h"
#include "engine/serve_loop.h"
#include "support/rehearsal_model.h"

namespace cutd {
namespace {

class RehearsalBackend final : public EngineBackend {
 public:
  explicit RehearsalBackend(std::chrono::milliseconds delay) : engine_(delay) {}
  Json describe() const override { return {{"version", "rehearsal"}}; }
  LoadReply load(const ModelSpec& model, std::stop_token stop, const ProgressSink& progress) override {
    return engine_.load(model, stop, progress);
  }
  std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                          const ProgressSink& progress) override {
    return engine_.generate(request, stop, progress);
  }
  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                         const ProgressSink& progress) override {
    return engine_.score(request, stop, progress);
  }
  TrainReply train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) override {
    return engine_.train(request, stop, progress);
  }
  MergeReply merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) override {
    return engine_.merge(request, stop, progress);
  }

 private:
  RehearsalEngine engine_;
};

}  // namespace
}  // namespace cutd

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "0";
  if (first == "model" && argc > 2) {
    cutd::make_rehearsal_model(argv[2]);
    return 0;
  }
  cutd::RehearsalBackend backend{std::chrono::milliseconds(std::atoi(first.c_str()))};
  cutd::serve_engine(cutd::kEngineRpcFd, backend, {});
  return 0;
}
