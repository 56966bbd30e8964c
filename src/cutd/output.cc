#include "cutd/output.h"

#include <algorithm>
#include <cstdio>

namespace cutd {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,+-% ") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - std::min(width, display_width(text)), ' ');
  return right ? blanks + text : text + blanks;
}

}  // namespace

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::string table_text(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  widths.reserve(header.size());
  for (const std::string& title : header) widths.push_back(display_width(title));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::vector<bool> right(header.size());
  for (std::size_t i = 0; i < header.size(); ++i) {
    right[i] = !rows.empty() && std::all_of(rows.begin(), rows.end(),
                                            [i](const auto& row) { return is_number(row[i]) || row[i] == "-"; });
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += last && !right[i] ? row[i] : padded(row[i], widths[i], right[i]);
      text += last ? "\n" : "  ";
    }
  };
  add(header);
  for (const auto& row : rows) add(row);
  return text;
}

void print_json(const Json& value) { print_text(to_json_text(value) + "\n"); }
void print_json_pretty(const Json& value) { print_text(to_json_text(value, 2) + "\n"); }
void print_text(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string cell(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>().empty() ? "-" : value.get<std::string>();
  return to_json_text(value);
}

std::string table_of(const Json& list, const std::vector<std::pair<std::string, std::string>>& columns) {
  std::vector<std::string> header;
  header.reserve(columns.size());
  for (const auto& [title, key] : columns) header.push_back(title);
  std::vector<std::vector<std::string>> rows;
  for (const Json& item : list) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const auto& [title, key] : columns) row.push_back(cell(item.value(key, Json())));
  }
  return table_text(header, rows);
}

}  // namespace cutd
