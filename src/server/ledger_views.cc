#include "server/ledger_views.h"

#include <fmt/format.h>

#include "core/clock.h"
#include "store/ledger.h"
#include "store/spend_figures.h"

namespace cutd {
namespace {

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

// The cap that holds for a scope ("round:7", "day:2026-11-26", "total").
Json cap_of(const SpendCaps& caps, const std::string& scope) {
  if (scope == "total") return caps.total;
  return scope.starts_with("day:") ? caps.day : caps.round;
}

Json balances_view(Reader& reader, std::int64_t now) {
  const std::set<std::string> open = list_open_scopes(reader, now);
  Json balances = Json::array();
  for (const Spending& one : list_spending(reader)) {
    const std::optional<SpendCaps> caps = find_spend_caps(reader, one.annotator);
    balances.push_back({{"annotator", one.annotator},
                        {"scope", one.scope},
                        {"cap", caps ? cap_of(*caps, one.scope) : Json()},
                        {"spent", one.spent},
                        {"reserved", one.reserved},
                        {"open", open.contains(one.scope)}});
  }
  return balances;
}

Json run_sum_view(Reader& reader, RunId run) {
  if (!run) return nullptr;
  const SpentSum sum = sum_of_run(reader, run);
  return {{"spent", sum.spent}, {"reserved", sum.reserved}};
}

Json rounds_view(Reader& reader, RunId run) {
  Json rounds = Json::array();
  for (const RoundSpent& one : run ? list_round_spending(reader, run) : std::vector<RoundSpent>{}) {
    rounds.push_back(
        {{"round", one.round.value}, {"number", one.number}, {"spent", one.sum.spent}, {"reserved", one.sum.reserved}});
  }
  return rounds;
}

Json entry_view(const LedgerEntry& entry) {
  return {{"id", entry.id},
          {"kind", entry.kind},
          {"amount", entry.amount},
          {"run", entry.run ? Json(entry.run->value) : Json()},
          {"round", entry.round ? Json(entry.round->value) : Json()},
          {"annotator", entry.annotator.value},
          {"note",
           fmt::format("attempt {} ({}. try at judgment {})", entry.attempt.value, entry.number, entry.judgment.value)},
          {"at", format_utc(entry.at)}};
}

}  // namespace

Json attempt_view(const Attempt& attempt) {
  return {{"id", attempt.id.value},
          {"judgment", attempt.judgment.value},
          {"number", attempt.number},
          {"annotator", attempt.annotator},
          {"state", name_of(attempt.state)},
          {"reserved", attempt.reserved},
          {"settled", or_null(attempt.settled)},
          {"input_tokens", or_null(attempt.input_tokens)},
          {"output_tokens", or_null(attempt.output_tokens)},
          {"status", attempt.status},
          {"reason", attempt.reason},
          {"resolution", attempt.resolution.empty() ? Json() : Json(attempt.resolution)},
          {"created_at", format_utc(attempt.created_at)}};
}

Json ledger_view(Reader& reader, RunId run, std::int64_t before, std::int64_t limit, std::int64_t now) {
  Json entries = Json::array();
  std::int64_t last = 0;
  for (const LedgerEntry& entry : list_ledger(reader, run, before, limit)) {
    entries.push_back(entry_view(entry));
    last = entry.id;
  }
  const bool more = static_cast<std::int64_t>(entries.size()) == limit;
  return {{"run", run_sum_view(reader, run)},
          {"rounds", rounds_view(reader, run)},
          {"balances", balances_view(reader, now)},
          {"entries", std::move(entries)},
          {"next", more ? Json(std::to_string(last)) : Json()}};
}

Json caps_view(Reader& reader, const std::string& annotator) {
  const std::optional<SpendCaps> caps = find_spend_caps(reader, annotator);
  if (!caps) return nullptr;
  return {{"annotator", annotator},
          {"request", caps->request},
          {"round", caps->round},
          {"day", caps->day},
          {"total", caps->total}};
}

}  // namespace cutd
