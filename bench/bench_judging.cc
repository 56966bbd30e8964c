// How fast one thread judges for money: 256 requests in flight at 200 ms latency over plain HTTP on loopback, each with
// its write-ahead attempt, reservation, stored reply and judgment on disk (group commit). Beside it the double's own
// ceiling: what it answers to a client that does nothing else.
//
//   bench_judging [--items 10000] [--latency 200] [--in-flight 256]
//
// Promise P20 in full is `--latency 30000`, twenty minutes. Prints one JSON line: judgments a second, the ceilings,
// main-loop lag (a thread that wants to wake every millisecond), descriptors and memory. Run it on an otherwise idle
// machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/unique_fd.h"
#include "judge_client/make_llm_judge.h"
#include "round/judge_sink.h"
#include "store/check.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/units.h"
#include "support/folders.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// The double as a process of its own; it ends when its standard input does.
class DoubleProcess {
 public:
  explicit DoubleProcess(std::int64_t latency_ms) {
    int input[2];
    int output[2];
    if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) throw_errno("pipe");
    const std::string script = R"({"latency_ms": )" + std::to_string(latency_ms) + "}";
    const std::string server = program_folder() / "fake_llm_server";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(input[0], STDIN_FILENO);
      ::dup2(output[1], STDOUT_FILENO);
      ::execl(server.c_str(), "fake_llm_server", "--script", script.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    input_ = UniqueFd(input[1]);
    const UniqueFd lines(output[0]);
    char byte = 0;
    while (::read(lines.get(), &byte, 1) == 1 && byte != '\n') url_ += byte;
  }
  ~DoubleProcess() {
    input_ = UniqueFd();
    ::waitpid(pid_, nullptr, 0);
  }
  DoubleProcess(const DoubleProcess&) = delete;
  DoubleProcess& operator=(const DoubleProcess&) = delete;

  const std::string& url() const { return url_; }
  int port() const { return std::stoi(url_.substr(url_.rfind(':') + 1)); }

 private:
  pid_t pid_ = -1;
  UniqueFd input_;
  std::string url_;
};

// --- what is judged ----------------------------------------------------------------------------------

struct Setting {
  AnnotatorId annotator;
  RoundId round;
};

LlmAnnotator annotator_of(const DoubleProcess& server, std::int64_t in_flight) {
  LlmAnnotator annotator;
  annotator.base_url = server.url();
  annotator.model = "judge-1";
  annotator.price = {1, -1, 4};
  annotator.allow_http = true;
  annotator.allow_private = {"127.0.0.1"};
  annotator.max_in_flight = in_flight;
  return annotator;
}

Setting make_round(Store& store, std::int64_t items) {
  std::vector<NewInstruction> texts;
  for (std::int64_t i = 0; i < items; ++i)
    texts.push_back({"Explain what a thing of number " + std::to_string(i) + " is.", ""});
  store.write([&](Writer& writer) { import_instructions(writer, texts, Split::kTrain, "bench"); });
  const auto instructions = store.read([](Reader& reader) { return list_instructions(reader, Split::kTrain); });
  NewUnit unit;
  std::vector<NewResponse> responses;
  for (const Instruction& instruction : instructions) {
    unit.push_back({.instruction = instruction.id, .seed = 1, .prompt_ids = {1}});
    responses.push_back({.ids = {instruction.id.value},
                         .text = "It is a thing, and people use it for what such things are good for, every day.",
                         .finish_reason = "stop",
                         .model_hash = std::string(64, 'a'),
                         .template_version = "t",
                         .logprob_sum = -1});
  }
  return store.write([&](Writer& writer) {
    const RunId run = create_run(
        writer, {.config = Json::object(), .base_model_hash = std::string(64, 'a'), .round_count = 1, .train = {}});
    Setting setting;
    setting.round = create_round(writer, {.run = run, .config = Json::object()});
    const std::vector<NewUnit> units = {unit};
    commit_unit(writer, plan_units(writer, setting.round, Split::kTrain, units).front(), responses);
    setting.annotator = ensure_annotator(writer, {"critic", "v1", "llm", Json::object()});
    set_spend_caps(writer, "critic", {1'000'000, 1'000'000'000, 1'000'000'000, 1'000'000'000});
    request_judgments(writer, setting.round, setting.annotator);
    return setting;
  });
}

// --- what is measured beside it ----------------------------------------------------------------------

// How late a thread wakes that wants to every millisecond, as the daemon's main loop would.
class LagProbe {
 public:
  LagProbe() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}
  // Milliseconds.
  double percentile(double share) {
    thread_.request_stop();
    thread_.join();
    std::sort(late_.begin(), late_.end());
    return late_.at(static_cast<std::size_t>(share * static_cast<double>(late_.size() - 1)));
  }
  // Of this process at once, looked at every second or so; after percentile().
  std::int64_t most_descriptors() const { return most_descriptors_; }

 private:
  void watch(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto due = SteadyClock::now() + std::chrono::milliseconds(1);
      std::this_thread::sleep_until(due);
      late_.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - due).count());
      if (late_.size() % 1000 == 0) most_descriptors_ = std::max(most_descriptors_, open_descriptors());
    }
  }
  static std::int64_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  }
  std::vector<double> late_;
  std::int64_t most_descriptors_ = 0;
  std::jthread thread_;
};

double most_resident_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// One exchange on a connection of its own; false: it failed.
bool exchange(int port, const std::string& request) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return false;
  char block[8192];
  return ::recv(socket.get(), block, sizeof block, 0) > 0;  // a reply fits into one block
}

// Answers a second to `threads` clients that do nothing else.
double ceiling(const DoubleProcess& server, const ChatRequest& chat, int threads) {
  const HttpRequest http = chat_http_request({WireFormat::kOpenAi, server.url(), "key"}, chat);
  const std::string request =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(http.body.size()) + "\r\n\r\n" + http.body;
  constexpr double kSeconds = 5;
  std::atomic<std::int64_t> done{0};
  const auto start = SteadyClock::now();
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < threads; ++i) {
      clients.emplace_back([&] {
        while (seconds_since(start) < kSeconds) done += exchange(server.port(), request) ? 1 : 0;
      });
    }
  }
  return static_cast<double>(done) / seconds_since(start);
}

std::int64_t flag(int count, char** arguments, const std::string& name, std::int64_t otherwise) {
  for (int i = 1; i + 1 < count; i += 2) {
    if (arguments[i] == name) return std::atoll(arguments[i + 1]);
  }
  return otherwise;
}

Json run(std::int64_t items, std::int64_t latency_ms, std::int64_t in_flight) {
  const TemporaryDirectory folder(std::filesystem::current_path());  // a disk, not memory
  const SystemClock clock;
  NullLogger log;
  const DoubleProcess slow(latency_ms);
  Store store(folder / "data", clock, log);
  const Setting setting = make_round(store, items);
  LlmJudgeOptions options = llm_judge_options(annotator_of(slow, in_flight), "key");
  options.client.start_concurrency = static_cast<int>(in_flight);
  LlmJudge judge(options, clock);
  for (const PendingJudgment& one :
       store.read([&](Reader& reader) { return list_pending_judgments(reader, setting.round, setting.annotator); })) {
    judge.submit({RequestId{one.id.value}, one.instruction.text, one.response.text, true});
  }
  JudgeSinkOptions sink_options;
  sink_options.ledger = true;
  sink_options.annotator = "critic";
  sink_options.state = [&judge] { return judge.save_state(); };
  StoreJudgeSink sink(store, sink_options);
  LagProbe probe;
  const auto start = SteadyClock::now();
  judge.run({}, sink);
  sink.wait();
  const double seconds = seconds_since(start);
  Json result = {{"bench", "judging"}, {"items", items}, {"latency_ms", latency_ms}, {"in_flight", in_flight}};
  result["judgments_per_second"] = static_cast<double>(items) / seconds;
  result["latency_bound_per_second"] =
      static_cast<double>(in_flight) * 1000 / static_cast<double>(std::max<std::int64_t>(latency_ms, 1));
  result["main_loop_lag_p99_ms"] = probe.percentile(0.99);
  result["most_descriptors"] = probe.most_descriptors();
  result["resident_mb"] = most_resident_mb();
  const JudgmentCounts counts =
      store.read([&](Reader& reader) { return count_judgments(reader, setting.round, setting.annotator); });
  result["done"] = counts.done;
  result["findings"] = store.read([&](Reader& reader) { return check_store(reader, store.data_dir()); });
  const ChatRequest chat = judging_request(options, {"Explain what a thing is.", "It is a thing.", ""});
  result["double_ceiling_per_second"] = ceiling(slow, chat, static_cast<int>(in_flight));
  const DoubleProcess quick(0);
  result["double_ceiling_without_latency_per_second"] = ceiling(quick, chat, 8);
  return result;
}

}  // namespace
}  // namespace cutd

int main(int count, char** arguments) {
  const cutd::Json result =
      cutd::run(cutd::flag(count, arguments, "--items", 10'000), cutd::flag(count, arguments, "--latency", 200),
                cutd::flag(count, arguments, "--in-flight", 256));
  std::printf("%s\n", result.dump().c_str());
  return result["done"] == result["items"] && result["findings"].empty() ? 0 : 1;
}
