#include "round/start_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "round/adapter_files.h"
#include "store/adapters.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr std::size_t kMostDigits = 18;

bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= kMostDigits && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::optional<Adapter> newest_kept(Reader& reader, const std::string& base_hash) {
  const std::vector<Run> runs = list_runs(reader);
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const bool ended = run->state == RunState::kCompleted || run->state == RunState::kFailed;
    if (!ended || run->base_model_hash != base_hash) continue;
    if (const auto kept = serving_adapter(reader, run->id)) return find_adapter(reader, *kept);
  }
  return std::nullopt;
}

Adapter promoted_adapter(Reader& reader, AdapterId id, const std::string& base_hash) {
  const auto refuse = [&](ErrorCode code, const std::string& why) {
    throw Error(code, fmt::format("key \"run.start_from\": {}", why));
  };
  const std::optional<Adapter> adapter = find_adapter(reader, id);
  if (!adapter) refuse(ErrorCode::kNotFound, fmt::format("there is no adapter {} in this data folder", id.value));
  if (adapter->kind != AdapterKind::kCumulative) {
    refuse(ErrorCode::kUsage, fmt::format("adapter {} is what one round added; name a cumulative one", id.value));
  }
  const Round round = find_round(reader, adapter->round).value();
  const Run run = find_run(reader, round.run).value();
  const std::string whose = fmt::format("adapter {} (round {} of run {})", id.value, round.number, run.id.value);
  if (adapter->state != AdapterState::kVerified)
    refuse(ErrorCode::kUsage, whose + " is quarantined: " + adapter->reason);
  if (run.base_model_hash != base_hash) refuse(ErrorCode::kUsage, whose + " was trained on another base model");
  if (round.outcome != Outcome::kPromoted) refuse(ErrorCode::kUsage, whose + " was not promoted");
  return *adapter;
}

}  // namespace

std::function<std::string(const std::string&)> start_point_check() {
  return [](const std::string& text) {
    const bool known = text == kStartFromBase || text == kStartFromKept || is_id(text);
    return std::string(known ? "" : "must be base, kept or the id of an adapter");
  };
}

std::optional<Adapter> find_start(Reader& reader, const std::string& start_from, const std::string& base_hash) {
  if (start_from == kStartFromBase) return std::nullopt;
  if (start_from == kStartFromKept) return newest_kept(reader, base_hash);
  return promoted_adapter(reader, AdapterId{std::stoll(start_from)}, base_hash);
}

std::optional<Adapter> require_start(Store& store, const std::string& start_from, const std::string& base_hash) {
  const auto adapter = store.read([&](Reader& reader) { return find_start(reader, start_from, base_hash); });
  if (!adapter) return adapter;
  try {
    check_adapter(store.data_dir(), *adapter);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("key \"run.start_from\": no run can build on adapter {}: {}",
                                          adapter->id.value, error.what()));
  }
  return adapter;
}

bool spares_used_instructions(const std::string& start_from) { return start_from != kStartFromBase; }

}  // namespace cutd
