// The nouns of the product as plain structs, one per table of schemas/sql: the same words in C++, SQL,
// JSON and the docs. Times are microseconds since the Unix epoch, for display; order comes from ids.
// Hashes are 64 hex digits (core/hash.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.h"
#include "core/json.h"

namespace cutd {

using InstructionId = Id<struct Instruction>;
using RunId = Id<struct Run>;
using RoundId = Id<struct Round>;
using UnitId = Id<struct Unit>;
using SampleId = Id<struct Sample>;
using ResponseId = Id<struct Response>;
using AnnotatorId = Id<struct Annotator>;
using JudgmentId = Id<struct Judgment>;
using ManifestId = Id<struct FrozenManifest>;
using AdapterId = Id<struct Adapter>;
using EvaluationId = Id<struct Evaluation>;
using UserId = Id<struct User>;

// What an instruction may be used for. `gate` is read by decide(), `report` never is; neither trains.
enum class Split { kTrain, kGate, kReport };

// Where a round is. The first five are active; kCompleted comes with an Outcome.
enum class Phase { kCreated, kGenerating, kJudging, kTraining, kEvaluating, kPaused, kCompleted, kFailed, kCancelled };
enum class Outcome { kPromoted, kRejected };

enum class RunState { kActive, kPaused, kCompleted, kFailed, kCancelled };
enum class UnitState { kOpen, kDone };
enum class JudgmentState { kPending, kDone, kFailed };
enum class JudgmentLabel { kPositive, kNegative };
enum class AdapterKind { kDelta, kCumulative };
enum class AdapterState { kVerified, kQuarantined };
enum class EvaluationState { kOpen, kDone };

// What an account may do: everything; judge; look on.
enum class Role { kOperator, kAnnotator, kViewer };

bool is_active(Phase phase);  // created, generating, judging, training, evaluating
bool is_final(Phase phase);   // completed, cancelled; a failed round may still be retried

// The word SQL and JSON have for a value ("kPaused" is "paused").
std::string_view name_of(Split value);
std::string_view name_of(Phase value);
std::string_view name_of(Outcome value);
std::string_view name_of(RunState value);
std::string_view name_of(UnitState value);
std::string_view name_of(JudgmentState value);
std::string_view name_of(JudgmentLabel value);
std::string_view name_of(AdapterKind value);
std::string_view name_of(AdapterState value);
std::string_view name_of(EvaluationState value);
std::string_view name_of(Role value);

// The value of a word: from_name<Phase>("paused"). Throws Error(kBadInput) naming an unknown word.
template <typename Enum>
Enum from_name(std::string_view name);

struct Instruction {
  InstructionId id;
  std::string hash;  // instruction_hash(text, input): what "held out" is decided by
  std::string text;
  std::string input;  // may be empty
  Split split = Split::kTrain;
  std::string source;          // file or set it came from, for display
  std::string reference = "";  // a good answer, for judges that compare with one; empty: none, or not asked for
};

// A series of rounds with one frozen configuration.
struct Run {
  RunId id;
  StoredJson config;      // frozen at the start: round/frozen_run.h
  AnnotatorId annotator;  // who judges, as it says; no id where it says none
  std::string base_model_hash;
  std::int64_t round_count = 0;         // most rounds
  std::int64_t patience = 0;            // consecutive rejections that end it; 0: never
  std::optional<std::int64_t> budget;   // micro-dollars
  std::optional<std::int64_t> ends_at;  // wall-clock microseconds
  std::optional<AdapterId> start;       // cumulative adapter its first round starts from; none: the base
  RunState state = RunState::kActive;
  std::string reason;  // why it is in this state; may be empty
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
};

struct Round {
  RoundId id;
  RunId run;
  std::int64_t number = 0;          // from 1 within its run
  std::optional<AdapterId> parent;  // cumulative adapter it starts from; none: the base
  Phase phase = Phase::kCreated;
  std::optional<Phase> resume_phase;  // paused and failed: the active phase it goes back to
  std::string reason;                 // paused: why; failed: the error; else empty
  std::optional<Outcome> outcome;     // completed only
  std::int64_t retries = 0;           // times it was taken up again after a failure
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
};

// One line of a round's history; never changed or removed.
struct RoundEvent {
  std::int64_t id = 0;  // ascending: the order of events
  RoundId round;
  std::optional<Phase> from;  // none: the round was made
  Phase to = Phase::kCreated;
  std::string why;
  std::int64_t epoch = 0;  // of the daemon that did it
  std::int64_t at = 0;
};

// A fixed list of prompts, answered whole or not at all. Belongs to one round or one evaluation.
struct Unit {
  UnitId id;
  std::optional<RoundId> round;
  std::optional<EvaluationId> evaluation;
  std::int64_t number = 0;  // from 0 within its owner
  Split split = Split::kTrain;
  UnitState state = UnitState::kOpen;
  std::int64_t samples = 0;  // how many are planned in it
};

// One planned response: a prompt of a unit.
struct Sample {
  SampleId id;
  UnitId unit;
  std::int64_t position = 0;  // place in the unit, from 0
  InstructionId instruction;
  std::int64_t number = 0;  // sample number for this instruction, from 0
  std::int64_t seed = 0;
  std::vector<std::int64_t> prompt_ids;  // rendered once, so that a redo sends the same ids
};

struct Response {
  ResponseId id;
  SampleId sample;
  UnitId unit;
  InstructionId instruction;
  Split split = Split::kTrain;
  std::string hash;               // response_hash(ids)
  std::vector<std::int64_t> ids;  // as generated, the EOS that ended it included
  std::string text;
  std::string finish_reason;  // stop | length
  std::int64_t seed = 0;
  std::string model_hash;  // of the model that wrote it
  std::string template_version;
  double logprob_sum = 0;                  // under the model that wrote it, natural logarithm
  std::optional<double> base_logprob_sum;  // under the original model (a guard of evaluation)
};

// An annotator is data; name and version (the hash of its guideline or prompt) are its identity.
struct Annotator {
  AnnotatorId id;
  std::string name;
  std::string version;
  std::string kind;  // rule | llm | batch | webhook | human
  StoredJson config;
};

struct Judgment {
  JudgmentId id;
  ResponseId response;
  AnnotatorId annotator;
  Split split = Split::kTrain;  // its response's
  JudgmentState state = JudgmentState::kPending;
  std::optional<JudgmentLabel> label;  // done only: a failure is a state, never a label
  std::string hash;                    // judgment_hash(text); empty until done
  std::string text;                    // "Perfect." when nothing is wrong
  std::string raw;                     // the reply byte for byte, to be parsed again without paying again
  bool validated = false;              // only then may it enter a manifest
  std::string failure;                 // failed: the reason
  std::int64_t attempts = 0;           // tries begun
};

// The training set of a round, frozen: a file whose name is its SHA-256.
struct FrozenManifest {
  ManifestId id;
  RoundId round;
  std::string sha256;
  std::string path;  // relative to the data folder
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
};

struct Adapter {
  AdapterId id;
  std::string hash;         // adapter_hash(): what it computes, wherever it lies; its identity
  std::string folder_hash;  // hash_directory(): whether the folder is what was published
  AdapterKind kind = AdapterKind::kCumulative;
  std::string path;                 // relative to the data folder
  std::optional<AdapterId> parent;  // cumulative adapter of the round's parent; none: the base
  RoundId round;
  AdapterState state = AdapterState::kVerified;
  std::string reason;  // quarantined: why
  std::int64_t created_at = 0;
};

// What an evaluation is of; two evaluations of the same are one.
struct EvaluationKey {
  std::string model_hash;
  std::string set_hash;  // instruction_set_hash() of the held-out instructions
  AnnotatorId annotator;
  std::string decoding_hash;  // of sampling options and template version
};

struct Evaluation {
  EvaluationId id;
  EvaluationKey key;
  Split split = Split::kGate;
  EvaluationState state = EvaluationState::kOpen;
  Json summary;  // done: score, interval, guards
  std::int64_t created_at = 0;
};

struct EvaluationItem {
  InstructionId instruction;
  ResponseId response;
  JudgmentId judgment;
  bool perfect = false;  // the judgment's label is positive
  Json measures;         // words, distinct-2, log-probability under the base, ...
};

// One optimiser step as the trainer reported it.
struct TrainingStep {
  std::int64_t step = 0;
  Json metrics;
};

// Content hashes of what has no file: of the JSON list of token ids, of the UTF-8 text, and of the
// sorted hashes of a set of instructions joined by line feeds.
std::string response_hash(std::span<const std::int64_t> ids);
std::string judgment_hash(std::string_view text);
std::string instruction_set_hash(std::vector<std::string> instruction_hashes);

}  // namespace cutd
