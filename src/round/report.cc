#include "round/report.h"

#include "core/files.h"
#include "round/report_html.h"

namespace cutd {

std::string report_html(Reader& reader, RunId run, const std::filesystem::path& data_dir) {
  return report_page(read_report_data(reader, run, data_dir));
}

void write_report(Reader& reader, RunId run, const std::filesystem::path& data_dir, const std::filesystem::path& path) {
  write_file_durably(path, report_html(reader, run, data_dir));
}

}  // namespace cutd
