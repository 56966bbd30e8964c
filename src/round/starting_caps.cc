#include "round/starting_caps.h"

#include <fmt/format.h>

#include <cmath>

#include "round/judge_estimate.h"
#include "store/runs.h"

namespace cutd {
namespace {

SpendCaps caps_of(const DollarCaps& dollars) {
  return {micros_of(dollars.request), micros_of(dollars.round), micros_of(dollars.day), micros_of(dollars.total)};
}

// Of a run's frozen configuration, by hand: that of an old run may not parse any more.
std::optional<SpendCaps> frozen_caps(const Run& run, const std::string& annotator) {
  const Json none = Json::array();
  const Json config = run.config.parse().value("config", Json::object());
  const Json list = config.value("annotators", none);
  for (const Json& one : list) {
    if (!one.is_object() || one.value("name", "") != annotator) continue;
    const Json caps = one.value("llm", Json::object()).value("caps", Json::object());
    return caps_of(
        {caps.value("request", 0.0), caps.value("round", 0.0), caps.value("day", 0.0), caps.value("total", 0.0)});
  }
  return std::nullopt;
}

std::optional<SpendCaps> newest_frozen_caps(Reader& reader, const std::string& annotator) {
  const std::vector<Run> runs = list_runs(reader);
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (const auto caps = frozen_caps(*run, annotator)) return caps;
  }
  return std::nullopt;
}

}  // namespace

StartingCaps starting_caps(const std::string& annotator, const SpendCaps& configured,
                           const std::optional<SpendCaps>& before, const std::optional<SpendCaps>& in_force) {
  StartingCaps start{configured, {}};
  if (!before || !in_force) return start;
  const auto settle = [&](const char* kind, std::int64_t SpendCaps::*cap) {
    const std::int64_t held = (*in_force).*cap;
    const bool changed = configured.*cap != (*before).*cap;
    if (!changed) start.caps.*cap = held;
    if (configured.*cap == held) return;
    start.notes.push_back(
        changed
            ? fmt::format("annotator {}: its cap per {} is {} from now on, as the configuration says since this run "
                          "(it was {})",
                          annotator, kind, dollars_text(configured.*cap), dollars_text(held))
            : fmt::format("annotator {}: its cap per {} stays {}, as `cutd ledger caps` set it (the configuration "
                          "says {}, as it did before)",
                          annotator, kind, dollars_text(held), dollars_text(configured.*cap)));
  };
  settle("request", &SpendCaps::request);
  settle("round", &SpendCaps::round);
  settle("day", &SpendCaps::day);
  settle("total", &SpendCaps::total);
  return start;
}

std::vector<std::string> set_starting_caps(Writer& writer, const RunConfig& config) {
  std::vector<std::string> notes;
  for (const AnnotatorConfig& annotator : config.annotators) {
    if (!asks_over_http(annotator)) continue;
    const StartingCaps start =
        starting_caps(annotator.name, caps_of(annotator.llm.caps), newest_frozen_caps(writer, annotator.name),
                      find_spend_caps(writer, annotator.name));
    set_spend_caps(writer, annotator.name, start.caps);
    notes.insert(notes.end(), start.notes.begin(), start.notes.end());
  }
  return notes;
}

}  // namespace cutd
