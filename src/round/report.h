// The HTML report of a run: one self-contained file with inline plots, no scripts, no outside requests;
// light and dark, readable on a phone. Model text is escaped: it is shown, never interpreted.
#pragma once

#include <filesystem>
#include <string>

#include "core/domain.h"

namespace cutd {

class Reader;

// The page of a run as it stands now. Throws Error(kNotFound) for an unknown run.
std::string report_html(Reader& reader, RunId run, const std::filesystem::path& data_dir);

// Writes it durably to `path`.
void write_report(Reader& reader, RunId run, const std::filesystem::path& data_dir, const std::filesystem::path& path);

}  // namespace cutd
