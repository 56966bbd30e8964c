// The files that records come in: a JSON list, or JSON Lines, either of them also as gzip. What a file is shows in its
// bytes when it is read and in its name when it is written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace cutd {

struct RawRecord {
  Json value;
  std::string origin;  // "data.json: record 3" (from 0) or "data.jsonl:4" (from 1)
};

// Error(kNotFound, kBadInput) naming file and record. At most `max_bytes` after unpacking.
std::vector<RawRecord> read_records(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{4} << 30);

// Durably: NAME.json a list, NAME.jsonl one record a line, each also with ".gz". Error(kUsage) for another name.
// Equal records give equal bytes.
void write_records(const std::filesystem::path& path, const std::vector<Json>& records);

std::string gunzip(std::string_view bytes, const std::string& origin, std::size_t max_bytes);
std::string gzip(std::string_view bytes);

}  // namespace cutd
