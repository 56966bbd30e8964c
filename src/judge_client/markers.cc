#include "judge_client/markers.h"

#include <algorithm>
#include <optional>

#include "core/blanks.h"
#include "judge_client/look_alikes.h"
#include "judge_client/words.h"

namespace cutd {
namespace {

// One visible character: what it looks like, and the bytes it stands for.
struct Seen {
  char32_t character = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool after_blank = false;
};

bool is_invisible(char32_t c) {
  return c == 0xAD || c == 0x34F || c == 0x61C || (c >= 0x180B && c <= 0x180E) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

// A line feed is no blank: a marker stands in one line.
bool is_blank_in_line(char32_t c) {
  return c == ' ' || c == '\t' || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Blanks and invisible characters left out.
std::vector<Seen> look_at(std::string_view text) {
  std::vector<Seen> seen;
  seen.reserve(text.size());
  bool after_blank = false;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const char32_t character = next_character(text, position);
    if (is_blank_in_line(character)) after_blank = true;
    if (is_invisible(character) || is_blank_in_line(character)) continue;
    seen.push_back({ascii_look(character), begin, position, after_blank});
    after_blank = false;
  }
  return seen;
}

struct Marker {
  std::vector<char32_t> body;  // without leading hashes
  bool heading = false;        // began with hashes: any number of at least two begins it
};

Marker marker_of(const std::string& text) {
  Marker marker;
  const std::vector<Seen> seen = look_at(text);
  std::size_t hashes = 0;
  while (hashes < seen.size() && seen[hashes].character == '#') ++hashes;
  marker.heading = hashes >= 2 && hashes < seen.size();
  marker.body.reserve(seen.size());
  for (std::size_t i = marker.heading ? hashes : 0; i < seen.size(); ++i) marker.body.push_back(seen[i].character);
  return marker;
}

// How many hashes begin the marker at `i` (0 for one without), or nothing when it does not stand there.
std::optional<std::size_t> stands_at(const std::vector<Seen>& seen, std::size_t i, const Marker& marker) {
  std::size_t hashes = 0;
  if (marker.heading) {
    while (i + hashes < seen.size() && seen[i + hashes].character == '#') ++hashes;
    if (hashes < 2) return std::nullopt;
  }
  if (marker.body.empty() || i + hashes + marker.body.size() > seen.size()) return std::nullopt;
  // What break_markers leaves behind is none any more.
  if (!marker.heading && marker.body.size() > 1 && seen[i + 1].after_blank) return std::nullopt;
  for (std::size_t k = 0; k < marker.body.size(); ++k) {
    if (seen[i + hashes + k].character != marker.body[k]) return std::nullopt;
  }
  return hashes;
}

// `text`, seen as `seen`, without the marker; nothing where it does not stand.
std::optional<std::string> break_marker(std::string_view text, const std::vector<Seen>& seen, const Marker& marker) {
  std::string result;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const std::optional<std::size_t> hashes = stands_at(seen, i, marker);
    if (!hashes) continue;
    result.append(text.substr(copied, seen[i].end - copied));
    copied = seen[i].end;
    if (marker.heading) {
      copied = seen[i + *hashes - 1].end;
      i += *hashes - 1;
    } else {
      result.push_back(' ');
    }
  }
  if (copied == 0) return std::nullopt;
  return result.append(text.substr(copied));
}

// The last, or first, line of a template's literal text that holds more than blanks.
std::string edge_line(const std::string& literal, bool last) {
  std::string found;
  std::size_t from = 0;
  while (from <= literal.size()) {
    const std::size_t end = std::min(literal.find('\n', from), literal.size());
    const std::string line(trim_blanks(std::string_view(literal).substr(from, end - from)));
    if (!line.empty()) {
      found = line;
      if (!last) break;
    }
    from = end + 1;
  }
  return found;
}

void add_markers(const std::string& text, std::vector<std::string>& markers) {
  const auto add = [&](std::string marker) {
    // Breaking what is no marker, the words of a sentence or a single sign, would spoil every text.
    const bool is_marker =
        marker.size() >= 3 &&
        (std::string_view("#<[=*-`~").find(marker.front()) != std::string_view::npos || marker.back() == ':');
    if (!is_marker || std::find(markers.begin(), markers.end(), marker) != markers.end()) return;
    markers.push_back(std::move(marker));
  };
  std::size_t from = 0;
  bool encloses = false;  // the placeholder before `from` shows a text from outside
  for (std::size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", from)) {
    const std::size_t end = text.find("}}", at);
    if (end == std::string::npos) return;
    const std::string literal = text.substr(from, at - from);
    if (encloses) add(edge_line(literal, false));
    encloses = text.substr(at + 2, end - at - 2) != "item";
    if (encloses) add(edge_line(literal, true));
    from = end + 2;
  }
  if (encloses) add(edge_line(text.substr(from), false));
}

}  // namespace

std::vector<std::string> section_markers(const std::string& text) {
  std::vector<std::string> markers;
  add_markers(text, markers);
  return markers;
}

std::string break_markers(std::string_view text, const std::vector<std::string>& markers) {
  std::string result(text);
  std::vector<Seen> seen = look_at(result);  // once for all markers: hardly a text holds one
  for (const std::string& marker : markers) {
    std::optional<std::string> broken = break_marker(result, seen, marker_of(marker));
    if (!broken) continue;
    result = std::move(*broken);
    seen = look_at(result);
  }
  return result;
}

std::size_t count_markers(std::string_view text, const std::vector<std::string>& markers) {
  const std::vector<Seen> seen = look_at(text);
  std::size_t count = 0;
  for (const std::string& one : markers) {
    const Marker marker = marker_of(one);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const std::optional<std::size_t> hashes = stands_at(seen, i, marker);
      if (!hashes) continue;
      ++count;
      if (*hashes > 0) i += *hashes - 1;
    }
  }
  return count;
}

const std::vector<std::string>& common_markers() {
  static const std::vector<std::string> markers = {"### Instruction:",
                                                   "### Response:",
                                                   "### Judgment:",
                                                   "<|im_start|>",
                                                   "<|im_end|>",
                                                   "<|system|>",
                                                   "<|user|>",
                                                   "<|assistant|>",
                                                   "<|endoftext|>",
                                                   "<|begin_of_text|>",
                                                   "<|eot_id|>",
                                                   "<|end_of_text|>",
                                                   "<|end|>",
                                                   "<|start_header_id|>",
                                                   "<|end_header_id|>",
                                                   "[INST]",
                                                   "[/INST]",
                                                   "<<SYS>>",
                                                   "<</SYS>>",
                                                   "<start_of_turn>",
                                                   "<end_of_turn>",
                                                   "<｜begin▁of▁sentence｜>",
                                                   "<｜end▁of▁sentence｜>",
                                                   "<｜User｜>",
                                                   "<｜Assistant｜>",
                                                   "</s>"};
  return markers;
}

}  // namespace cutd
