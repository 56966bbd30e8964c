#include "dataset/manifest.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <tuple>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"

namespace cutd {
namespace {

constexpr const char* kFormat = "cutd-manifest/1";

auto sort_key(const ManifestRow& row) { return std::tie(row.instruction_hash, row.response_hash); }

Json header_json(const ManifestHeader& header) {
  return {{"format", kFormat},
          {"model", header.model},
          {"template", header.prompt_template},
          {"append_eos", header.append_eos}};
}

Json row_json(const ManifestRow& row) {
  const TrainingExample& example = row.example;
  Json json = {{"instruction_hash", row.instruction_hash}, {"response_hash", row.response_hash},
               {"judgment_hash", row.judgment_hash},       {"source", row.source},
               {"kind", example_kind_name(example.kind)},  {"prompt_ids", example.prompt_ids}};
  json["prompt_judge_ids"] = example.kind == ExampleKind::kAlignN ? Json(example.prompt_judge_ids) : Json(nullptr);
  json["response_ids"] = example.response_ids;
  json["weight"] = example.weight;
  return json;
}

void refuse_unknown_keys(const Json& json, const std::vector<std::string>& known, const std::string& origin) {
  if (!json.is_object()) throw Error(ErrorCode::kBadInput, origin + ": a line must hold a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) throw_json_member(origin, key.c_str(), "is unknown");
  }
}

ManifestHeader parse_header(const Json& json, const std::string& origin) {
  refuse_unknown_keys(json, {"format", "model", "template", "append_eos"}, origin);
  if (json_get<std::string>(json, "format", origin) != kFormat) {
    throw_json_member(origin, "format", std::string("must be ") + kFormat);
  }
  ManifestHeader header;
  header.model = json_get<std::string>(json, "model", origin);
  header.prompt_template = json_get<std::string>(json, "template", origin);
  header.append_eos = json_get<std::string>(json, "append_eos", origin);
  if (header.append_eos != "always" && header.append_eos != "if_finished") {
    throw_json_member(origin, "append_eos", "must be always or if_finished");
  }
  return header;
}

std::vector<std::int64_t> parse_ids(const Json& json, const char* key, const std::string& origin) {
  if (!json.contains(key) || !json.at(key).is_array()) throw_json_member(origin, key, "must be a list of token ids");
  std::vector<std::int64_t> ids;
  ids.reserve(json.at(key).size());
  for (const Json& id : json.at(key)) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0) {
      throw_json_member(origin, key, "holds " + to_json_text(id) + ", which is no token id");
    }
    ids.push_back(id.get<std::int64_t>());
  }
  if (ids.empty()) throw_json_member(origin, key, "is empty");
  return ids;
}

ManifestRow parse_row(const Json& json, const std::string& origin) {
  refuse_unknown_keys(json,
                      {"instruction_hash", "response_hash", "judgment_hash", "source", "kind", "prompt_ids",
                       "prompt_judge_ids", "response_ids", "weight"},
                      origin);
  ManifestRow row;
  row.instruction_hash = json_get<std::string>(json, "instruction_hash", origin);
  row.response_hash = json_get<std::string>(json, "response_hash", origin);
  row.judgment_hash = json_get<std::string>(json, "judgment_hash", origin);
  row.source = json_get<std::string>(json, "source", origin);
  const std::string kind = json_get<std::string>(json, "kind", origin);
  if (kind != "align_p" && kind != "align_n") throw_json_member(origin, "kind", "must be align_p or align_n");
  row.example.kind = example_kind_from_name(kind);
  row.example.prompt_ids = parse_ids(json, "prompt_ids", origin);
  row.example.response_ids = parse_ids(json, "response_ids", origin);
  if (!json.contains("prompt_judge_ids")) throw_json_member(origin, "prompt_judge_ids", "is missing");
  if (row.example.kind == ExampleKind::kAlignN) {
    row.example.prompt_judge_ids = parse_ids(json, "prompt_judge_ids", origin);
  } else if (!json.at("prompt_judge_ids").is_null()) {
    throw_json_member(origin, "prompt_judge_ids", "must be null for align_p");
  }
  row.example.weight = json_get<double>(json, "weight", origin);
  if (!std::isfinite(row.example.weight) || row.example.weight < 0)
    throw_json_member(origin, "weight", "must be at least 0");
  return row;
}

}  // namespace

std::string manifest_text(Manifest manifest) {
  std::sort(manifest.rows.begin(), manifest.rows.end(), [](const ManifestRow& a, const ManifestRow& b) {
    return std::tie(a.instruction_hash, a.response_hash, a.judgment_hash, a.source) <
           std::tie(b.instruction_hash, b.response_hash, b.judgment_hash, b.source);
  });
  std::string text = to_json_text(header_json(manifest.header)) + "\n";
  for (const ManifestRow& row : manifest.rows) text += to_json_text(row_json(row)) + "\n";
  return text;
}

std::string manifest_name(const Manifest& manifest) { return sha256_hex(manifest_text(manifest)); }

std::filesystem::path write_manifest(const std::filesystem::path& directory, const Manifest& manifest) {
  const std::string text = manifest_text(manifest);
  const std::filesystem::path path = directory / (sha256_hex(text) + ".jsonl");
  write_file_durably(path, text);
  return path;
}

Manifest read_manifest(const std::filesystem::path& path) {
  Manifest manifest;
  bool header_seen = false;
  read_json_lines(path, [&](const Json& json, std::size_t line) {
    const std::string origin = path.string() + ":" + std::to_string(line);
    if (!header_seen) {
      manifest.header = parse_header(json, origin);
      header_seen = true;
      return;
    }
    manifest.rows.push_back(parse_row(json, origin));
    const std::size_t count = manifest.rows.size();
    if (count > 1 && sort_key(manifest.rows[count - 1]) < sort_key(manifest.rows[count - 2])) {
      throw Error(ErrorCode::kBadInput, origin + ": rows are not sorted by (instruction_hash, response_hash)");
    }
  });
  if (!header_seen)
    throw Error(ErrorCode::kBadInput, path.string() + ": is empty; expected a " + std::string(kFormat) + " header");
  return manifest;
}

bool is_manifest(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_errno("cannot open " + path.string());
  std::string line;
  std::getline(file, line);
  const Json json = Json::parse(line, nullptr, false);
  return json.is_object() && json.contains("format") && json.at("format").is_string() &&
         json.at("format").get<std::string>().starts_with("cutd-manifest/");
}

}  // namespace cutd
