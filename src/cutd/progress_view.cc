#include "cutd/progress_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "cutd/output.h"
#include "cutd/terminal.h"

namespace cutd {
namespace {

constexpr int kLeastBar = 8;
constexpr int kMostBar = 28;
constexpr std::int64_t kPlainEveryMs = 10'000;

std::string place(const ProgressSnapshot& now) {
  if (now.round_number > 0 && now.round_count > 0) return fmt::format("round {}/{}", now.round_number, now.round_count);
  return "";
}

std::string count_text(const ProgressSnapshot& now, const char* of) {
  return now.total > 0 ? fmt::format("{}{}{}", now.done, of, now.total) : "";
}

// Speed, time left and detail: what is known of them.
std::vector<std::string> facts(const ProgressSnapshot& now) {
  std::vector<std::string> found;
  if (now.tokens_per_second > 0) found.push_back(fmt::format("{:.0f} tok/s", now.tokens_per_second));
  if (now.eta_seconds && now.done < now.total) found.push_back(format_duration(*now.eta_seconds) + " left");
  if (!now.detail.empty()) found.push_back(now.detail);
  return found;
}

double share_of(const ProgressSnapshot& now) {
  return now.total > 0 ? static_cast<double>(now.done) / static_cast<double>(now.total) : 0;
}

}  // namespace

std::string progress_bar(double share, int width) {
  const int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "━" : "╌";
  return bar;
}

std::string progress_line(const ProgressSnapshot& now, int width) {
  if (now.activity.empty()) return "";
  const std::string where = place(now);
  const std::string head = where.empty() ? now.activity : where + "  " + now.activity;
  const auto room = [&](const std::string& text) { return width - static_cast<int>(display_width(text)); };
  const std::string count = count_text(now, "/");
  if (room(head) < 0) return head.substr(0, static_cast<std::size_t>(std::max(width, 0)));
  std::string tail = count.empty() ? "" : "  " + count;
  if (room(head + tail) < 0) tail.clear();
  const int bar_columns = now.total > 0 && !tail.empty() ? kLeastBar + 2 : 0;
  for (const std::string& fact : facts(now)) {
    if (room(head + tail + "  " + fact) < bar_columns) break;
    tail += "  " + fact;
  }
  const int bar = std::min(kMostBar, room(head + tail) - 2);
  if (bar_columns == 0 || bar < kLeastBar) return head + tail;
  return head + "  " + progress_bar(share_of(now), bar) + tail;
}

std::string progress_sentence(const ProgressSnapshot& now) {
  if (now.activity.empty()) return "";
  const std::string where = place(now);
  std::string text = where.empty() ? now.activity : where + " " + now.activity;
  std::vector<std::string> parts = facts(now);
  if (const std::string count = count_text(now, " of "); !count.empty()) parts.insert(parts.begin(), count);
  if (!parts.empty()) text += fmt::format(": {}", fmt::join(parts, ", "));
  return text;
}

ProgressSnapshot progress_of(const Json& json) {
  const std::string origin = "progress";
  ProgressSnapshot now;
  now.run = RunId{json_get<std::int64_t>(json, "run", origin)};
  now.round = RoundId{json_get<std::int64_t>(json, "round", origin)};
  now.round_number = json_get<std::int64_t>(json, "round_number", origin);
  now.round_count = json_get<std::int64_t>(json, "round_count", origin);
  now.activity = json_get<std::string>(json, "activity", origin);
  now.done = json_get<std::int64_t>(json, "done", origin);
  now.total = json_get<std::int64_t>(json, "total", origin);
  now.tokens_per_second = json_get<double>(json, "tokens_per_second", origin);
  now.elapsed_seconds = json_get<double>(json, "elapsed_seconds", origin);
  now.detail = json_get<std::string>(json, "detail", origin);
  if (json.contains("eta_seconds") && json["eta_seconds"].is_number())
    now.eta_seconds = json["eta_seconds"].get<double>();
  return now;
}

ProgressView::ProgressView(std::function<void(std::string_view)> write, int width, const Clock& clock)
    : write_(std::move(write)), width_(width), clock_(clock) {}

void ProgressView::show(const ProgressSnapshot& now) {
  if (width_ == 0) {
    show_plain(now);
    return;
  }
  // One column stays free: a full line would wrap and could not be redrawn.
  const std::string line = progress_line(now, width_ - 1);
  if (line == live_line_) return;
  write_("\r" + line + "\x1b[K");
  live_line_ = line;
}

void ProgressView::show_plain(const ProgressSnapshot& now) {
  if (now.activity.empty()) return;
  const std::string activity = place(now) + now.activity;
  const bool fresh = activity != activity_;
  const std::int64_t time = clock_.boot_millis();
  if (!fresh && time < next_plain_ms_) return;
  activity_ = activity;
  next_plain_ms_ = time + kPlainEveryMs;
  write_(progress_sentence(now) + "\n");
}

void ProgressView::say(const std::string& text) {
  if (live_line_.empty()) {
    write_(text + "\n");
    return;
  }
  write_("\r" + text + "\x1b[K\n" + live_line_);
}

void ProgressView::finish() {
  if (!live_line_.empty()) write_("\r\x1b[K");
  live_line_.clear();
}

ProgressView stderr_progress_view(const Clock& clock) {
  return ProgressView(
      [](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
      },
      terminal_width(stderr), clock);
}

}  // namespace cutd
