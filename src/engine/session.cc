#include "engine/session.h"

#include <poll.h>

#include <array>
#include <cerrno>

#include "core/error.h"
#include "engine/protocol.h"

extern char** environ;

namespace cutd {
namespace {

std::vector<std::string> arguments_of(const EngineProcessOptions& options) {
  if (!options.arguments.empty()) return options.arguments;
  return {"serve", "--rpc-fd", std::to_string(kEngineRpcFd), "--heartbeat-ms",
          std::to_string(options.timeouts.heartbeat_ms)};
}

}  // namespace

EngineSession::EngineSession(const EngineProcessOptions& options, const Clock& clock, OutputLog& output, bool first)
    : timeouts_(options.timeouts),
      clock_(clock),
      output_(output),
      child_(options.program, arguments_of(options), engine_environment(environ, first)),
      channel_(child_.take_socket(), options.max_line_bytes),
      liveness_(options.timeouts, clock.boot_millis()) {
  output_.begin_process("--- " + format_utc(clock.wall_micros()) + " engine process " + std::to_string(child_.pid()) +
                        " ---");
}

void EngineSession::send_request(std::string line) {
  liveness_.request_started(clock_.boot_millis());
  channel_.queue(std::move(line));
}

void EngineSession::on_line(std::string_view line, const OnMessage& on_message) {
  const std::int64_t now = clock_.boot_millis();
  const RpcMessage message = parse_rpc(line);
  liveness_.heard(now);
  const auto* notification = std::get_if<RpcNotification>(&message);
  if (notification != nullptr && notification->method == rpc_method::kHeartbeat) {
    liveness_.heartbeat(decode<Heartbeat>(notification->params), now);
  } else {
    on_message(message);
  }
}

void EngineSession::drain_output() {
  std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t count = ::read(child_.output(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    output_.append({bytes.data(), static_cast<std::size_t>(count)});
  }
}

std::string EngineSession::step(int wake_fd, std::int64_t wait_ms, const OnMessage& on_message) {
  if (!channel_.flush()) return "ended";
  const short socket_events = static_cast<short>(POLLIN | (channel_.wants_write() ? POLLOUT : 0));
  std::array<pollfd, 3> fds = {{{wake_fd, POLLIN, 0}, {channel_.fd(), socket_events, 0}, {child_.output(), POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
  if (fds[2].revents & POLLIN) drain_output();
  try {
    if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) &&
        !channel_.receive([&](std::string_view line) { on_line(line, on_message); })) {
      return "ended";
    }
  } catch (const Error& error) {
    return std::string("broke the protocol: ") + error.what();
  }
  return liveness_.verdict(clock_.boot_millis());
}

std::string EngineSession::end(std::int64_t wait_ms) {
  std::string ending = child_.end(wait_ms);
  drain_output();
  const std::string tail = output_.tail();
  if (!tail.empty()) ending += "; it last printed: " + tail;
  return ending;
}

}  // namespace cutd
