// The report page as text, from plain data. Whatever a model, a judge or a file wrote is escaped.
#pragma once

#include <string>
#include <string_view>

#include "round/report_data.h"

namespace cutd {

std::string report_page(const ReportData& data);

// Text as HTML shows it: & < > " ' become entities, control characters but line feed and tab U+FFFD.
std::string html_escaped(std::string_view text);

}  // namespace cutd
