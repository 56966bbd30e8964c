// The invariant checker (reliability section 1): run by tests after every fault and by `cutd doctor`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/store.h"

namespace cutd {

// Everything that is wrong, in sentences naming the row or file; empty when all is well. Reads only, but
// reads all of it: rows, manifests, adapters.
//   file        SQLite's integrity_check and foreign_key_check
//   units       done ones have one response per sample, open ones none; a done evaluation has no open unit
//   phases      a round's events form one chain that ends in its phase
//   manifests   a round with an adapter has one; its file has that hash; its counts are those of its entries
//   adapters    a verified one's folder has its hash; a promoted round has both kinds
//   serving     a run serves the adapter of its last promoted round, verified; the base before the first
//   held out    nothing held out was sampled for, or entered, training
//   ledger      of paid attempts: balances and movements of money are those of the attempts, and no cap was passed
//   hashes      of instructions, responses and judgments are those of their contents
// `data_dir` is where the relative paths start.
std::vector<std::string> check_store(Reader& reader, const std::filesystem::path& data_dir);

}  // namespace cutd
