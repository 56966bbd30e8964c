#include "cutd/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "cutd/daemon.h"
#include "cutd/socket_client.h"
#include "round/run_start.h"
#include "store/check.h"
#include "store/folder_lock.h"
#include "store/store.h"
#include "weights/model_config.h"
#include "weights/safetensors.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLeastDisk = std::uintmax_t{1} << 30;
constexpr std::uintmax_t kTightDisk = std::uintmax_t{5} << 30;

double gib(std::uintmax_t bytes) { return static_cast<double>(bytes) / static_cast<double>(std::uintmax_t{1} << 30); }

// The nearest folder above that exists: where a new data folder would lie.
fs::path existing_part(fs::path folder) {
  folder = fs::absolute(folder).lexically_normal();
  while (!fs::exists(folder) && folder.has_parent_path() && folder != folder.parent_path())
    folder = folder.parent_path();
  return folder;
}

// `finding` as `examine` makes it, whatever it throws turned into a problem.
template <typename Examine>
Finding guarded(const std::string& check, const std::string& advice, Examine examine) {
  try {
    return examine();
  } catch (const std::exception& error) {
    return {check, Health::kProblem, error.what(), advice};
  }
}

// ", version 0.1.0, threads 2": what an engine says of itself, without what it is doing just now.
std::string engine_facts(const Json& found) {
  std::string text;
  for (const auto& [key, value] : found.items()) {
    if (value.is_object() || key == "open_requests") continue;
    text += fmt::format(", {} {}", key, value.is_string() ? value.get<std::string>() : to_json_text(value));
  }
  return text;
}

std::string store_fault(const fs::path& data_dir, bool full) {
  return StoreReader(data_dir).read([&](Reader& reader) -> std::string {
    if (full) {
      const std::vector<std::string> faults = check_store(reader, data_dir);
      return faults.empty() ? "" : fmt::format("{}", fmt::join(faults, "; "));
    }
    const std::string quick = reader.database().quick_check();
    if (quick != "ok") return quick;
    const auto broken = reader.database().first("PRAGMA foreign_key_check", [](Statement& row) { return row.text(0); });
    return broken ? "a row of table " + *broken + " refers to one that is not there" : "";
  });
}

Finding check_model(const fs::path& folder) {
  return guarded("model", "import it again: cutd model import SOURCE", [&] {
    const ModelConfig config = read_model_config(folder);
    const ModelTensors tensors(folder);
    return Finding{"model", Health::kOk,
                   fmt::format("{}: {}, {} layers, {} tensors", folder.string(), config.architecture, config.layers,
                               tensors.names().size()),
                   ""};
  });
}

std::vector<fs::path> model_folders(const fs::path& data_dir, const std::string& model) {
  if (!model.empty()) return {find_model(model, data_dir)};
  std::vector<fs::path> folders;
  if (!fs::is_directory(data_dir / "models")) return folders;
  for (const auto& entry : fs::directory_iterator(data_dir / "models")) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::uintmax_t largest_model(const fs::path& data_dir, const std::string& model) {
  std::uintmax_t largest = 0;
  std::error_code ignored;
  for (const fs::path& folder : model_folders(data_dir, model)) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".safetensors") bytes += entry.file_size();
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

// MemAvailable of /proc/meminfo; 0 when it is not there.
std::uintmax_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    std::uintmax_t kib = 0;
    if (key == "MemAvailable:" && file >> kib) return kib << 10;
    file.ignore(256, '\n');
  }
  return 0;
}

}  // namespace

Finding check_data_dir(const fs::path& data_dir) {
  if (!fs::exists(data_dir)) {
    const fs::path parent = existing_part(data_dir);
    if (::access(parent.c_str(), W_OK | X_OK) == 0) {
      return {"folder", Health::kOk, data_dir.string() + " does not exist yet and can be made", ""};
    }
    return {"folder", Health::kProblem, data_dir.string() + " does not exist and cannot be made in " + parent.string(),
            "make it with this user as its owner, or choose another --data-dir"};
  }
  const fs::path probe = data_dir / fmt::format(".doctor-{}", ::getpid());
  return guarded("folder", "give this user the right to write there, or choose another --data-dir", [&] {
    write_file_durably(probe, "written by cutd doctor\n");
    fs::remove(probe);
    const fs::perms others = fs::perms::group_all | fs::perms::others_all;
    if ((fs::status(data_dir).permissions() & others) == fs::perms::none)
      return Finding{"folder", Health::kOk, data_dir.string() + " can be written", ""};
    return Finding{"folder", Health::kWarning, data_dir.string() + " can be written, but other users may look into it",
                   "chmod 700 " + data_dir.string()};
  });
}

Finding check_disk(const fs::path& data_dir) {
  return guarded("disk", "", [&] {
    const std::uintmax_t free = free_disk_bytes(existing_part(data_dir));
    const std::string found = fmt::format("{:.1f} GiB free", gib(free));
    if (free < kLeastDisk)
      return Finding{"disk", Health::kProblem, found,
                     "free some: a run pauses below run.min_free_disk_mb (512 MB by default)"};
    if (free < kTightDisk)
      return Finding{"disk", Health::kWarning, found,
                     "enough for a small model only; a checkpoint of a large one is gigabytes"};
    return Finding{"disk", Health::kOk, found, ""};
  });
}

Finding check_daemon(const fs::path& data_dir) {
  const bool locked = folder_is_locked(data_dir);
  return guarded("daemon", "", [&] {
    const auto reply = ask_socket(socket_path(data_dir), "GET", "/api/v1/status", "");
    if (reply && reply->status == 200) {
      const Json status = parse_json(reply->body, "the daemon's reply");
      const std::string found =
          fmt::format("process {} serves the folder since {} s", json_get<std::int64_t>(status, "pid", "status"),
                      json_get<std::int64_t>(status, "uptime_seconds", "status"));
      const Json failure = status.value("failure", Json());
      if (failure.is_string())
        return Finding{"daemon", Health::kProblem, found + ", but stopped working: " + failure.get<std::string>(),
                       "remove the cause, then start the daemon again"};
      return Finding{"daemon", Health::kOk, found, ""};
    }
    if (locked) {
      return Finding{"daemon", Health::kWarning,
                     "a process holds the folder but does not answer on " + socket_path(data_dir).string(),
                     "it may be starting or stopping; if this lasts, look at " + (data_dir / "cutd.log").string()};
    }
    const bool left_behind = fs::exists(socket_path(data_dir));
    return Finding{"daemon", Health::kOk,
                   left_behind ? "none serves the folder; a socket was left behind, which the next start replaces"
                               : "none serves the folder",
                   ""};
  });
}

Finding check_store_file(const fs::path& data_dir, bool full) {
  const fs::path file = store_path(data_dir);
  if (!fs::exists(file)) return {"store", Health::kOk, "there is none yet; the daemon makes it", ""};
  const std::string advice = fmt::format("stop the daemon, keep a copy of the folder, and restore a copy from {}",
                                         (data_dir / "backups").string());
  return guarded("store", advice, [&] {
    const std::string fault = store_fault(data_dir, full);
    if (!fault.empty()) return Finding{"store", Health::kProblem, file.string() + ": " + fault, advice};
    return Finding{"store", Health::kOk,
                   fmt::format("{} is sound ({})", file.string(),
                               full ? "every row, manifest and adapter read" : "quick check, references"),
                   ""};
  });
}

Finding check_engine(const fs::path& program) {
  return guarded("engine", "scripts/build makes both programs", [&] {
    const fs::path path = program.empty() ? find_engine_program() : fs::absolute(program).lexically_normal();
    if (::access(path.c_str(), X_OK) != 0) throw Error(ErrorCode::kNotFound, path.string() + " is not a program");
    const SystemClock clock;
    NullLogger logger;
    EngineProcessOptions options;
    options.program = path;
    EngineClient engine(options, clock, logger);
    const Json found = engine.describe({});
    return Finding{"engine", Health::kOk, path.string() + engine_facts(found), ""};
  });
}

std::vector<Finding> check_models(const fs::path& data_dir, const std::string& model) {
  std::vector<Finding> findings;
  try {
    for (const fs::path& folder : model_folders(data_dir, model)) findings.push_back(check_model(folder));
  } catch (const Error& error) {
    findings.push_back({"model", Health::kProblem, error.what(), ""});
  }
  if (findings.empty()) {
    findings.push_back(
        {"model", Health::kOk, "none is imported yet", "cutd model import SOURCE --data-dir " + data_dir.string()});
  }
  return findings;
}

Finding check_machine(std::uintmax_t largest_model_bytes) {
  const std::uintmax_t memory = available_memory();
  const std::string found =
      fmt::format("{} processors, {:.1f} GiB of memory available", std::thread::hardware_concurrency(), gib(memory));
  // Weights in float32 made from 16 bits, and as much again for training.
  const std::uintmax_t wanted = 4 * largest_model_bytes;
  if (memory > 0 && memory < wanted) {
    return {"machine", Health::kWarning, found,
            fmt::format("the largest model may need {:.1f} GiB: use dtype bfloat16, or a smaller model", gib(wanted))};
  }
  return {"machine", Health::kOk, found, ""};
}

std::vector<Finding> examine(const DoctorOptions& options) {
  std::vector<Finding> findings = {check_data_dir(options.data_dir), check_disk(options.data_dir),
                                   check_daemon(options.data_dir), check_store_file(options.data_dir, options.full),
                                   check_engine(options.engine)};
  for (Finding& finding : check_models(options.data_dir, options.model)) findings.push_back(std::move(finding));
  findings.push_back(
      guarded("machine", "", [&] { return check_machine(largest_model(options.data_dir, options.model)); }));
  return findings;
}

const char* name_of(Health health) {
  switch (health) {
    case Health::kOk: return "ok";
    case Health::kWarning: return "warning";
    case Health::kProblem: return "problem";
  }
  return "problem";
}

Json findings_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"check", finding.check},
                    {"health", name_of(finding.health)},
                    {"found", finding.found},
                    {"advice", finding.advice}});
  }
  return list;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{:<8}  {:<8}  {}\n", name_of(finding.health), finding.check, finding.found);
    if (!finding.advice.empty()) text += fmt::format("{:<20}> {}\n", "", finding.advice);
  }
  return text;
}

}  // namespace cutd
