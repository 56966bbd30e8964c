// The checks of `cutd doctor`: each says what was found and, when that is not well, what to do. They change
// nothing, and work beside a running daemon.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace cutd {

enum class Health { kOk, kWarning, kProblem };

struct Finding {
  std::string check;  // "disk"
  Health health = Health::kOk;
  std::string found;
  std::string advice;  // what to do; empty when all is well
};

struct DoctorOptions {
  std::filesystem::path data_dir;
  std::filesystem::path engine;  // empty: cutd-engine beside this program
  std::string model;             // folder, or a name under DATA/models; empty: every model there
  bool full = false;             // reads every row, manifest and adapter of the store
};

Finding check_data_dir(const std::filesystem::path& data_dir);
Finding check_disk(const std::filesystem::path& data_dir);
// Lock and socket together: who works in the folder, and whether it answers.
Finding check_daemon(const std::filesystem::path& data_dir);
Finding check_store_file(const std::filesystem::path& data_dir, bool full);
// Starts the engine for a moment and asks what it is.
Finding check_engine(const std::filesystem::path& program);
std::vector<Finding> check_models(const std::filesystem::path& data_dir, const std::string& model);
Finding check_machine(std::uintmax_t largest_model_bytes);

// All of them, in this order.
std::vector<Finding> examine(const DoctorOptions& options);

const char* name_of(Health health);
Json findings_json(const std::vector<Finding>& findings);
// A line each, the advice indented below.
std::string findings_text(const std::vector<Finding>& findings);

}  // namespace cutd
