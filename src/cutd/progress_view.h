// The live view of a run on a terminal, and its plain form for files and pipes. Text is made by pure functions;
// ProgressView only remembers what it wrote last.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"
#include "round/progress.h"

namespace cutd {

// "round 2/3  training  ━━━━━━━━╌╌╌╌╌╌╌╌  5/12   191 tok/s  1 min 12 s left  loss 1.2345": at most `width` columns;
// what does not fit is left out from the end, the bar last. Empty when nothing is running.
std::string progress_line(const ProgressSnapshot& now, int width);

// The same in words, without a bar: "round 2/3 training: 5 of 12, 191 tok/s, 1 min 12 s left, loss 1.2345".
std::string progress_sentence(const ProgressSnapshot& now);

// `share` (0..1) of `width` columns.
std::string progress_bar(double share, int width);

// What progress_json wrote, for clients of the API. Throws Error(kBadInput).
ProgressSnapshot progress_of(const Json& json);

// One thread.
class ProgressView {
 public:
  // `write` puts text on the screen at once. `width` in columns; 0: no terminal, then a whole line is written
  // when an activity begins and every ten seconds of it. `clock` must outlive the view.
  ProgressView(std::function<void(std::string_view)> write, int width, const Clock& clock);

  void show(const ProgressSnapshot& now);
  void say(const std::string& text);  // a line that stays
  void finish();                      // takes the live line away

 private:
  void show_plain(const ProgressSnapshot& now);

  const std::function<void(std::string_view)> write_;
  const int width_;
  const Clock& clock_;
  std::string live_line_;  // on the screen now; empty: none
  std::string activity_;   // last written in plain form, with its round
  std::int64_t next_plain_ms_ = 0;
};

// A view on standard error.
ProgressView stderr_progress_view(const Clock& clock);

}  // namespace cutd
