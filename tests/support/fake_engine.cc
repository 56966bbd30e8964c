// A program that stands in for cutd-engine in the tests of the daemon's side: well-behaved, or broken in
// one of the ways that the supervisor must survive. Usage: fake_engine MODE [--rpc-fd 3]
//   good            answers at once; generate echoes each prompt's ids
//   slow-start MS   good, but silent for MS milliseconds first
//   crash-once FILE dies by SIGKILL in the first generate; good once FILE exists
//   crash           dies by SIGKILL in every generate, after printing two lines
//   exit-3          prints a reason and exits with status 3 before it answers anything
//   silent          reads, never writes
//   hung            heartbeats, but generate makes no progress and ignores cancel
//   until-cancelled generate makes progress until it is cancelled
//   garbage         answers generate with a line that is not JSON
//   endless-line    answers generate with a line that never ends
//   descriptors     prints its open descriptors and environment names, then is good
#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "core/error.h"
#include "engine/child_process.h"
#include "engine/serve_loop.h"

extern char** environ;

namespace cutd {
namespace {

class FakeBackend final : public EngineBackend {
 public:
  FakeBackend(std::string mode, std::string argument) : mode_(std::move(mode)), argument_(std::move(argument)) {}

  Json describe() const override { return {{"version", "fake"}, {"mode", mode_}}; }

  LoadReply load(const ModelSpec& model, std::stop_token, const ProgressSink&) override {
    if (model.model_dir == "missing") throw Error(ErrorCode::kNotFound, "no model at missing");
    return {"cpu", model.dtype, 2, 1000, "fake"};
  }

  std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                          const ProgressSink& progress) override {
    misbehave(stop, progress);
    std::vector<GeneratedResponse> responses;
    for (const GeneratePrompt& prompt : request.prompts) {
      responses.push_back({prompt.ids, "text", "stop", std::vector<double>(prompt.ids.size(), -0.5)});
      progress({"generate", static_cast<std::int64_t>(responses.size()),
                static_cast<std::int64_t>(request.prompts.size()), 100.0, Json()});
    }
    return responses;
  }

  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token, const ProgressSink&) override {
    return std::vector<std::vector<double>>(request.items.size(), {-1.25});
  }

  TrainReply train(const TrainRequest& request, std::stop_token, const ProgressSink& progress) override {
    for (std::int64_t step = 1; step <= 3; ++step) {
      progress({"train", step, 3, 0, Json{{"step", step}, {"learning_rate", request.config.learning_rate}}});
    }
    return {3, 0, 0.5, Json{{"loss", 0.5}}};
  }

  MergeReply merge(const MergeRequest&, std::stop_token, const ProgressSink&) override { return {1e-6}; }

 private:
  void misbehave(const std::stop_token& stop, const ProgressSink& progress) const {
    if (mode_ == "crash-once" && !std::ifstream(argument_)) {
      std::ofstream(argument_) << "crashed";
      ::raise(SIGKILL);
    }
    if (mode_ == "crash") {
      std::fputs("starting\nsomething broke\n", stderr);
      ::raise(SIGKILL);
    }
    if (mode_ == "hung") ::pause();
    if (mode_ == "garbage") send_raw("this is not JSON\n");
    while (mode_ == "endless-line") send_raw(std::string(4096, 'x'));
    for (std::int64_t i = 0; mode_ == "until-cancelled"; ++i) {
      if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
      progress({"generate", i, 0, 0, Json()});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  static void send_raw(const std::string& bytes) {
    while (::send(kEngineRpcFd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const std::string mode_;
  const std::string argument_;
};

void print_inheritance() {
  DIR* folder = ::opendir("/proc/self/fd");
  const int own = ::dirfd(folder);
  while (const dirent* entry = ::readdir(folder)) {
    const int number = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != own) std::fprintf(stderr, "fd=%d\n", number);
  }
  ::closedir(folder);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    std::fprintf(stderr, "env=%s\n", text.substr(0, text.find('=')).c_str());
  }
}

int run(const std::string& mode, const std::string& argument) {
  if (mode == "exit-3") {
    std::fputs("no model today\n", stderr);
    return 3;
  }
  if (mode == "silent") {
    for (;;) ::pause();
  }
  if (mode == "slow-start") std::this_thread::sleep_for(std::chrono::milliseconds(std::stol(argument)));
  if (mode == "descriptors") print_inheritance();
  FakeBackend backend(mode, argument);
  ServeOptions options;
  // A heartbeat is a whole line: sent between two pieces of the endless one it would end it.
  options.heartbeat_ms = mode == "endless-line" ? 600'000 : 10;
  serve_engine(kEngineRpcFd, backend, options);
  return 0;
}

}  // namespace
}  // namespace cutd

int main(int argc, char** argv) { return cutd::run(argc > 1 ? argv[1] : "good", argc > 2 ? argv[2] : ""); }
