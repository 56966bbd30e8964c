// What commands print on standard output: tables for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace cutd {

// Columns as wide as their widest cell; numbers (cells of digits, signs, points, %, blanks) to the right. The last
// column is not padded. Every row has as many cells as `header`.
std::string table_text(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// Characters that a terminal shows, for UTF-8 text without combining or wide characters.
std::size_t display_width(const std::string& text);

void print_json(const Json& value);  // one line
void print_json_pretty(const Json& value);
void print_text(const std::string& text);

// A JSON value as a table cell: text as it is, null as "-".
std::string cell(const Json& value);

// A table of a list of objects: `columns` are (title, key).
std::string table_of(const Json& list, const std::vector<std::pair<std::string, std::string>>& columns);

}  // namespace cutd
