#include "cutd/follow.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/signals.h"
#include "cutd/output.h"
#include "cutd/progress_view.h"
#include "cutd/run_table.h"

namespace cutd {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(300);

// New messages, then the state; returns the number of the last message. Those of before the watching are left out.
std::uint64_t show_news(ApiClient& api, std::int64_t run, std::uint64_t after, bool first, ProgressView& view) {
  const Json reply = api.get("/api/v1/progress?after=" + std::to_string(after));
  for (const Json& message : reply.at("messages")) {
    after = message.at("number").get<std::uint64_t>();
    if (!first) view.say(message.at("text").get<std::string>());
  }
  const ProgressSnapshot now = progress_of(reply.at("progress"));
  if (now.run.value == run) view.show(now);
  return after;
}

}  // namespace

int follow_run(ApiClient& api, std::int64_t run, bool json) {
  const SignalWatch signals;
  const SystemClock clock;
  ProgressView view = stderr_progress_view(clock);
  std::uint64_t message = 0;
  Json status;
  for (bool first = true;; first = false) {
    status = api.get("/api/v1/runs/" + std::to_string(run));
    message = show_news(api, run, message, first, view);
    if (status.at("state") != "active" || signals.token().stop_requested()) break;
    std::this_thread::sleep_for(kPoll);
  }
  view.finish();
  if (status.at("state") == "active") {
    fmt::print(stderr, "run {} goes on; watch it again with: cutd run status {} --follow\n", run, run);
    return kExitDone;
  }
  if (json) print_json(status);
  else print_text(run_text(status));
  const bool failed = status.at("state") == "failed" || status.at("state") == "cancelled";
  return failed ? kExitRunFailed : kExitDone;
}

}  // namespace cutd
