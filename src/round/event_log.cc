#include "round/event_log.h"

#include <fmt/format.h>

#include "store/rounds.h"

namespace cutd {
namespace {

std::string line_of(const RoundEvent& event, const Round& round) {
  const std::string change =
      event.from ? fmt::format("{} to {}", name_of(*event.from), name_of(event.to)) : std::string(name_of(event.to));
  const std::string why = event.why.empty() ? "" : " (" + event.why + ")";
  return fmt::format("run {}, round {}: {}{}", round.run.value, round.number, change, why);
}

}  // namespace

EventLog::EventLog(const Store& store, Logger& logger)
    : store_(store), logger_(logger), last_(store.read([](Reader& reader) { return last_event(reader); })) {}

void EventLog::write_new() {
  store_.read([&](Reader& reader) {
    for (const RoundEvent& event : list_events_after(reader, last_)) {
      logger_.info(line_of(event, find_round(reader, event.round).value()));
      last_ = event.id;
    }
  });
}

}  // namespace cutd
