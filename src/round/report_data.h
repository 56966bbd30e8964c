// What a run's report shows, as plain data: everything the page needs, read in one snapshot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "round/frozen_run.h"
#include "round/run_summary.h"
#include "store/store.h"

namespace cutd {

struct ReportStep {
  std::int64_t round = 0;  // its number in the run
  std::int64_t step = 0;
  std::optional<double> loss;
  std::optional<double> detected;  // share of the criticised responses' tokens
};

// Words of one model's responses to the gate set, as quantiles.
struct ReportLengths {
  std::string model;  // "untrained", "round 1"
  double low = 0;     // 5 %
  double quarter = 0;
  double median = 0;
  double three_quarters = 0;
  double high = 0;  // 95 %
};

struct ReportAnswer {
  std::string model;
  std::string response;
  std::string judgment;
  bool perfect = false;
  bool broken_off = false;  // reached the most tokens allowed
};

// One held-out instruction with two models' answers.
struct ReportExample {
  std::string instruction;
  std::string input;
  std::string kind;  // "improved", "worse", "criticised twice", "perfect twice"
  std::vector<ReportAnswer> answers;
};

struct ReportData {
  RunSummary summary;
  FrozenRun frozen;
  std::int64_t started_at = 0;          // wall-clock microseconds
  std::vector<ReportStep> steps;        // in order
  std::vector<ReportLengths> lengths;   // untrained first; models without an evaluation are left out
  std::vector<ReportExample> examples;  // chosen by rule, not by hand: see report_data.cc
};

// Throws Error(kNotFound) for an unknown run.
ReportData read_report_data(Reader& reader, RunId run, const std::filesystem::path& data_dir);

// Quantiles of `words`, which must not be empty.
ReportLengths length_quantiles(std::string model, std::vector<double> words);

}  // namespace cutd
