// Adapters: folders published under DATA before their row is made, never overwritten.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct NewAdapter {
  std::string hash;         // adapter_hash()
  std::string folder_hash;  // hash_directory() read back after publishing
  AdapterKind kind = AdapterKind::kCumulative;
  std::string path;                 // relative to the data folder
  std::optional<AdapterId> parent;  // cumulative adapter of the round's parent
  RoundId round;
};

// Verified. One such per round and kind: an equal one is returned as it is, another is Error(kConflict).
AdapterId add_adapter(Writer& writer, const NewAdapter& adapter);
// What is on disk is not what the row says: never served or built on again, and `path` is where it lies now.
// Its round can publish another. Error(kConflict) while a run serves it or a round starts from it.
void quarantine_adapter(Writer& writer, AdapterId adapter, const std::string& path, const std::string& reason);

// Error(kConflict) unless a round can train on it: cumulative and verified.
void require_base_of_training(Reader& reader, AdapterId adapter);

std::optional<Adapter> find_adapter(Reader& reader, AdapterId id);
std::optional<Adapter> find_adapter(Reader& reader, RoundId round, AdapterKind kind);  // the verified one
std::vector<Adapter> list_adapters(Reader& reader);                                    // by id
std::vector<Adapter> list_adapters(Reader& reader, RunId run);                         // by id

}  // namespace cutd
