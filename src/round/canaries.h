// Canaries: responses with a known verdict that a round's judge is asked about among the round's own (reliability P35,
// P36). They are stored as an open evaluation of split gate that no key of a model has, so that everything that judges,
// pays and counts treats them like any other judgment, while no foreign key lets them train. Each round asks anew.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evaluation/judging_health.h"
#include "round/frozen_run.h"
#include "round/snapshot.h"
#include "round/work_context.h"
#include "store/judgments.h"
#include "store/store.h"

namespace cutd {

// A canary as its file has it.
struct CanaryRow {
  Instruction instruction;  // split gate
  std::string response;
  bool perfect = false;
  bool attack = false;
  std::string place = "";  // "file:line"
};

// JSON Lines of {"instruction", "input"?, "reference"?, "response", "perfect", "attack"?}. Error(kBadInput) naming
// `origin` and the line: another key, an empty text, an attack whose known verdict is "perfect", the same response to
// the same instruction twice.
std::vector<CanaryRow> parse_canaries(std::string_view bytes, const std::string& origin);

// Stores their instructions as held out. Error(kUsage) when one trains, or is in the report set, in this data folder.
std::vector<Canary> hold_out_canaries(Writer& writer, const std::vector<CanaryRow>& rows, const std::string& source);

// The round's canaries, in the order in which they are asked, from the run's seed.
std::vector<CanaryPlace> places_of_canaries(const FrozenRun& frozen, const Round& round);

// Where they are kept.
EvaluationKey canary_key(const FrozenRun& frozen, const Round& round);

CanaryFacts read_canary_facts(Reader& reader, const FrozenRun& frozen, const Round& round);
std::vector<CanaryAnswer> read_canary_answers(Reader& reader, const FrozenRun& frozen, const Round& round);

// Unit of work, in one transaction.
void plan_canaries(WorkContext& context, const Round& round);

// The judgments of a round that are pending with `annotator`, with its pending canaries between them: each at its place
// among the responses, and none before as many responses as stand before it have been generated. Those of an evaluation
// are returned as they are.
std::vector<PendingJudgment> mix_in_canaries(Reader& reader, UnitOwner owner, AnnotatorId annotator,
                                             std::vector<PendingJudgment> pending);
bool is_canary_evaluation(const Evaluation& evaluation);

}  // namespace cutd
