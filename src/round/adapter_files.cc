#include "round/adapter_files.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "store/adapters.h"
#include "store/rounds.h"
#include "weights/model_config.h"
#include "weights/peft.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

const char* kind_folder(AdapterKind kind) { return kind == AdapterKind::kDelta ? "deltas" : "adapters"; }

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

// Moves DATA/`path` to a name of its own under DATA/quarantine; returns that, relative to DATA.
fs::path put_aside(const Store& store, const fs::path& path) {
  const std::string stem =
      "e" + std::to_string(store.epoch()) + "-" + path.parent_path().string() + "-" + path.filename().string();
  fs::path target = fs::path("quarantine") / stem;
  for (int i = 2; fs::exists(store.data_dir() / target); ++i)
    target = fs::path("quarantine") / (stem + "-" + std::to_string(i));
  fs::create_directories(store.data_dir() / "quarantine");
  if (fs::exists(store.data_dir() / path)) fs::rename(store.data_dir() / path, store.data_dir() / target);
  return target;
}

void quarantine_strangers(Store& store, Logger& logger) {
  const fs::path& data_dir = store.data_dir();
  std::set<std::string> known;
  for (const Adapter& adapter : store.read([](Reader& reader) { return list_adapters(reader); }))
    known.insert(adapter.path);
  for (const AdapterKind kind : {AdapterKind::kDelta, AdapterKind::kCumulative}) {
    for (const fs::path& folder : entries(data_dir / kind_folder(kind))) {
      const std::string path = (fs::path(kind_folder(kind)) / folder.filename()).string();
      if (known.contains(path)) continue;
      logger.warning("adapter folder " + path + " has no row: moved to " +
                     (data_dir / put_aside(store, path)).string());
    }
  }
}

bool needs_checkpoints(Store& store, const std::string& folder_name) {
  for (const Round& round : store.read([](Reader& reader) { return list_open_rounds(reader); })) {
    if (checkpoint_folder("", round.id).filename() == folder_name) return true;
  }
  return false;
}

}  // namespace

PublishedAdapter publish_adapter(const fs::path& data_dir, const fs::path& temporary, AdapterKind kind,
                                 const std::string& stem, const fs::path& model_dir) {
  const std::string hash = adapter_hash(read_adapter(temporary, read_model_config(model_dir)));
  const std::string folder_hash = hash_directory(temporary);
  const fs::path relative = fs::path(kind_folder(kind)) / (stem + "-" + hash.substr(0, 12));
  const fs::path final = data_dir / relative;
  fs::create_directories(final.parent_path());
  if (fs::exists(final)) {
    if (hash_directory(final) != folder_hash) {
      throw Error(
          ErrorCode::kBadInput,
          final.string() + " exists with other content: start cutd again, which moves it away, then retry the round");
    }
    fs::remove_all(temporary);
  } else {
    publish_directory(temporary, final);
  }
  if (hash_directory(final) != folder_hash)
    throw Error(ErrorCode::kBadInput, final.string() + " changed while it was published");
  return {hash, folder_hash, relative.string()};
}

void check_adapter(const fs::path& data_dir, const Adapter& adapter) {
  const fs::path folder = data_dir / adapter.path;
  if (!fs::is_directory(folder)) throw Error(ErrorCode::kBadInput, "adapter " + folder.string() + " is missing");
  if (hash_directory(folder) != adapter.folder_hash) {
    throw Error(ErrorCode::kBadInput, "adapter " + folder.string() + " is not what was published (its hash differs)");
  }
}

void check_own_adapter(Store& store, const Adapter& adapter) {
  std::string damage;
  try {
    return check_adapter(store.data_dir(), adapter);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    damage = error.what();
  }
  // The folder first: a row that says "verified" without a folder is found and put aside again.
  const fs::path target = put_aside(store, adapter.path);
  store.write([&](Writer& writer) { quarantine_adapter(writer, adapter.id, target.string(), damage); });
  throw Error(ErrorCode::kConflict,
              damage + ": moved to " + (store.data_dir() / target).string() + ", it is made again");
}

void write_cumulative(const fs::path& temporary, const fs::path& parent, const fs::path& delta,
                      const fs::path& model_dir) {
  const ModelConfig config = read_model_config(model_dir);
  const PeftAdapter trained = read_adapter(delta, config);
  write_adapter(temporary, parent.empty() ? trained : concatenate_adapters(read_adapter(parent, config), trained));
}

fs::path temporary_path(const Store& store, const std::string& name) {
  const fs::path path = store.data_dir() / "tmp" / ("e" + std::to_string(store.epoch()) + "-" + name);
  fs::create_directories(path.parent_path());
  fs::remove_all(path);  // of a failed try of this very daemon
  return path;
}

void sweep_data_folder(Store& store, Logger& logger) {
  const fs::path& data_dir = store.data_dir();
  for (const fs::path& path : entries(data_dir / "tmp")) {
    fs::remove_all(path);
    logger.info("removed unfinished " + path.string());
  }
  quarantine_strangers(store, logger);
  for (const fs::path& path : entries(data_dir / "checkpoints")) {
    if (!needs_checkpoints(store, path.filename().string())) fs::remove_all(path);
  }
}

fs::path checkpoint_folder(const fs::path& data_dir, RoundId round) {
  return data_dir / "checkpoints" / ("round-" + std::to_string(round.value));
}

}  // namespace cutd
