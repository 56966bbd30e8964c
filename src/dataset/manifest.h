// The frozen training set of a round: JSON Lines of format cutd-manifest/1. Line 1 is the header, then one
// row per example, sorted by (instruction hash, response hash). A manifest's name is the SHA-256 of its
// bytes; late judgments cannot alter it.
//
//   {"format":"cutd-manifest/1","model","template","append_eos"}
//   {"instruction_hash","response_hash","judgment_hash","source","kind","prompt_ids","prompt_judge_ids","response_ids","weight"}
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dataset/example.h"

namespace cutd {

struct ManifestHeader {
  std::string model;                       // hash of the model the examples are for
  std::string prompt_template;             // PromptTemplate::version(); key "template"
  std::string append_eos = "if_finished";  // always (triplet files, as released) | if_finished (rounds)
};

struct ManifestRow {
  std::string instruction_hash;
  std::string response_hash;
  std::string judgment_hash;  // empty: no judgment text
  std::string source;         // where the judgment comes from: annotator, file
  TrainingExample example;
};

struct Manifest {
  ManifestHeader header;
  std::vector<ManifestRow> rows;
};

// The bytes of the file; rows are sorted here. Equal content gives equal bytes.
std::string manifest_text(Manifest manifest);

// SHA-256 of manifest_text: the manifest's name.
std::string manifest_name(const Manifest& manifest);

// Writes DIRECTORY/<name>.jsonl durably and returns its path. Rewriting the same content is harmless.
std::filesystem::path write_manifest(const std::filesystem::path& directory, const Manifest& manifest);

// Strict: format, every key, known kinds, ids >= 0, a non-empty response and prompt, a judged prompt
// exactly for align_n, weights finite and >= 0, rows in order. Throws Error(kBadInput) naming path:line.
Manifest read_manifest(const std::filesystem::path& path);

// Whether the first line of `path` is a manifest header (else it is read as triplets).
bool is_manifest(const std::filesystem::path& path);

}  // namespace cutd
