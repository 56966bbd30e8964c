// Rows of the store as the API shows them: one function a noun, the same words as in SQL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/domain.h"
#include "core/json.h"
#include "store/store.h"

namespace cutd {

template <typename Noun>
Json id_or_null(const std::optional<Id<Noun>>& id) {
  return id ? Json(id->value) : Json();
}
Json time_or_null(const std::optional<std::int64_t>& micros);  // since 1970, as text

Json run_view(Reader& reader, const Run& run);
Json round_view(const Round& round);
Json event_view(const RoundEvent& event);
Json adapter_view(const Adapter& adapter, const std::filesystem::path& data_dir);

// A folder under DATA/models: {"name", "path", "bytes", "imported_from"}.
Json model_view(const std::filesystem::path& folder);

}  // namespace cutd
