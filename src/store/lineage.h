// Where each judgment comes from and what it trained: the rows behind exports.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

// One judgment of one training response.
struct LineageRow {
  RunId run;
  RoundId round;
  std::int64_t round_number = 0;
  std::optional<Outcome> outcome;  // of the round
  std::string instruction_hash;
  std::string instruction;
  std::string input;
  ResponseId response;
  std::string response_hash;
  std::string response_text;
  std::string model_hash;        // of the model that wrote it
  std::string template_version;  // of the prompt that it was written to
  JudgmentId judgment;
  JudgmentState state = JudgmentState::kPending;
  std::optional<JudgmentLabel> label;  // done only
  std::string judgment_hash;
  std::string judgment_text;
  bool validated = false;
  std::string failure;
  std::string annotator;
  std::string annotator_version;  // hash of its guideline or prompt
  std::string annotator_kind;
  std::string manifest;                  // SHA-256 of the training set that it is in; empty: in none
  std::optional<std::int64_t> position;  // its row there, from 0
  std::string delta_adapter;             // hash of what that set trained; empty: nothing yet
  std::string cumulative_adapter;
};

// By round, unit, position and judgment. `round`: only that one of the run.
std::vector<LineageRow> list_lineage(Reader& reader, RunId run, std::optional<RoundId> round = {});

// What a model answered in an evaluation, by unit and position.
struct EvaluatedOutput {
  std::string instruction;
  std::string input;
  std::string output;
};
std::vector<EvaluatedOutput> list_evaluated_outputs(Reader& reader, EvaluationId evaluation);

}  // namespace cutd
