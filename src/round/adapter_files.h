// Adapter folders of a data folder: published so that a half-written one can never be used (reliability 3.6),
// named by run, round and hash, never overwritten.
//
//   DATA/tmp/e<epoch>-…      being written; swept at start
//   DATA/deltas/NAME         what a round trained
//   DATA/adapters/NAME       cumulative: loads on the original base in PEFT and vLLM
//   DATA/quarantine/…        folders found without a row, or damaged
#pragma once

#include <filesystem>
#include <string>

#include "core/domain.h"
#include "core/log.h"
#include "store/store.h"

namespace cutd {

struct PublishedAdapter {
  std::string hash;         // adapter_hash
  std::string folder_hash;  // hash_directory
  std::string path;         // relative to the data folder
};

// Checks the folder `temporary` strictly against the model of `model_dir` (names, shapes, finite values),
// syncs and renames it to DATA/<deltas|adapters>/<stem>-<hash12> and hashes it there again. A folder of that
// name with that very content (a redo) is used as it is. Throws Error(kBadInput) naming what is wrong.
PublishedAdapter publish_adapter(const std::filesystem::path& data_dir, const std::filesystem::path& temporary,
                                 AdapterKind kind, const std::string& stem, const std::filesystem::path& model_dir);

// Throws Error(kBadInput) unless the folder of a row is there and is what was published.
void check_adapter(const std::filesystem::path& data_dir, const Adapter& adapter);

// The same for an adapter that nothing is built on yet: a damaged one is moved to DATA/quarantine and its row
// marked, so that the round makes it again (the same bytes); then throws Error(kConflict): look again.
void check_own_adapter(Store& store, const Adapter& adapter);

// Writes into `temporary` the adapter that does what `parent` (cumulative; empty: none) and `delta` do together.
void write_cumulative(const std::filesystem::path& temporary, const std::filesystem::path& parent,
                      const std::filesystem::path& delta, const std::filesystem::path& model_dir);

// A fresh name under DATA/tmp, whose folder exists afterwards; the path itself does not.
std::filesystem::path temporary_path(const Store& store, const std::string& name);

// At start: removes everything in DATA/tmp, moves adapter folders without a row to DATA/quarantine, and
// removes checkpoints of rounds that are over. Says what it did.
void sweep_data_folder(Store& store, Logger& logger);

std::filesystem::path checkpoint_folder(const std::filesystem::path& data_dir, RoundId round);

}  // namespace cutd
