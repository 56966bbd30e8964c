// What a run was born with: its configuration, and everything that was looked up once at its start so that
// later imports, renames or edits cannot change a running experiment. Kept in run.config.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "engine/engine.h"
#include "round/run_config.h"

namespace cutd {

// A response with a known verdict (canaries.h).
struct Canary {
  InstructionId instruction;
  std::string response;
  bool perfect = false;
  bool attack = false;
};

// One time of a schedule (round/schedule.h).
struct CycleOrigin {
  std::string schedule;
  std::int64_t due = 0;  // seconds since the Unix epoch
};

struct FrozenRun {
  RunConfig config;
  std::string model_dir;  // absolute
  std::string base_hash;  // model_fingerprint
  std::string template_version;
  AnnotatorId annotator;
  std::vector<InstructionId> gate;  // in file order
  std::vector<InstructionId> report;
  std::string gate_hash;  // instruction_set_hash
  std::string report_hash;
  std::vector<Canary> canaries;
  std::optional<CycleOrigin> cycle;  // started by a schedule
  std::optional<AdapterId> start;    // what round 1 trains on; none: the base
};

// The schedule that started a run, and the time that it was due.
std::optional<CycleOrigin> cycle_origin(const Run& run);

// `base_hash` and `start` have their own columns.
Json frozen_run_json(const FrozenRun& frozen);
FrozenRun frozen_run_of(const Run& run);
AnnotatorId frozen_annotator(const Run& run);  // of it, without reading the rest

// A model as rounds know it: the base, or the base with one published cumulative adapter.
struct ModelReference {
  ModelSpec spec;
  std::string hash;  // base hash, or SHA-256 of base hash and adapter_hash(): no path in it
  bool is_base = true;
  std::optional<Adapter> adapter;  // its row; none: the base
};
// `adapter` empty: the base. Paths of adapters are relative to `data_dir`.
ModelReference model_reference(const FrozenRun& frozen, const std::optional<Adapter>& adapter,
                               const std::string& data_dir);

// Identity of how responses are made: sampling, template, number type, units.
std::string decoding_hash(const FrozenRun& frozen);

}  // namespace cutd
