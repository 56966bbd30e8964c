// Rows of the store as the API shows them: one function a noun, the same words as in SQL.
#pragma once

#include <filesystem>

#include "core/domain.h"
#include "core/json.h"
#include "store/store.h"

namespace cutd {

Json run_view(Reader& reader, const Run& run);
Json round_view(const Round& round);
Json event_view(const RoundEvent& event);
Json adapter_view(const Adapter& adapter, const std::filesystem::path& data_dir);

// A folder under DATA/models: {"name", "path", "bytes", "imported_from"}.
Json model_view(const std::filesystem::path& folder);

}  // namespace cutd
