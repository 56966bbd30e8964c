#include "server/views.h"

#include "core/clock.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {

Json time_or_null(const std::optional<std::int64_t>& micros) { return micros ? Json(format_utc(*micros)) : Json(); }

Json run_view(Reader& reader, const Run& run) {
  std::int64_t completed = 0;
  for (const Round& round : list_rounds(reader, run.id)) completed += round.phase == Phase::kCompleted ? 1 : 0;
  const Json config = run.config.parse().value("config", Json::object());
  return {{"id", run.id.value},
          {"name", config.value("name", "")},
          {"state", name_of(run.state)},
          {"reason", run.reason},
          {"rounds_completed", completed},
          {"round_count", run.round_count},
          {"model", config.value("model", "")},
          {"start_adapter", id_or_null(run.start)},
          {"serving_adapter", id_or_null(serving_adapter(reader, run.id))},
          {"created_at", format_utc(run.created_at)},
          {"updated_at", format_utc(run.updated_at)}};
}

Json round_view(const Round& round) {
  return {{"id", round.id.value},
          {"run", round.run.value},
          {"number", round.number},
          {"phase", name_of(round.phase)},
          {"outcome", round.outcome ? Json(name_of(*round.outcome)) : Json()},
          {"reason", round.reason},
          {"retries", round.retries},
          {"parent_adapter", id_or_null(round.parent)},
          {"created_at", format_utc(round.created_at)},
          {"updated_at", format_utc(round.updated_at)}};
}

Json event_view(const RoundEvent& event) {
  return {{"id", event.id},
          {"round", event.round.value},
          {"from", event.from ? Json(name_of(*event.from)) : Json()},
          {"to", name_of(event.to)},
          {"why", event.why},
          {"epoch", event.epoch},
          {"at", format_utc(event.at)}};
}

Json adapter_view(const Adapter& adapter, const std::filesystem::path& data_dir) {
  return {{"id", adapter.id.value},
          {"round", adapter.round.value},
          {"kind", name_of(adapter.kind)},
          {"state", name_of(adapter.state)},
          {"reason", adapter.reason},
          {"parent", id_or_null(adapter.parent)},
          {"hash", adapter.hash},
          {"folder_hash", adapter.folder_hash},
          {"path", (data_dir / adapter.path).lexically_normal().string()},
          {"created_at", format_utc(adapter.created_at)}};
}

Json model_view(const std::filesystem::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  Json view = {
      {"name", folder.filename().string()}, {"path", folder.string()}, {"bytes", bytes}, {"imported_from", nullptr}};
  const std::filesystem::path origin = folder / "cutd_import.json";
  if (std::filesystem::exists(origin)) view["imported_from"] = read_json_file(origin);
  return view;
}

}  // namespace cutd
