#include "server/browse_views.h"

#include "core/clock.h"
#include "server/views.h"
#include "store/instructions.h"
#include "store/judgments.h"

namespace cutd {
namespace {

Json label_or_null(const Judgment& judgment) { return judgment.label ? Json(name_of(*judgment.label)) : Json(); }

// A judgment has a text when it is done, and a failure when it failed.
Json text_or_null(const Judgment& judgment) {
  return judgment.state == JudgmentState::kDone ? Json(judgment.text) : Json();
}
Json failure_or_null(const Judgment& judgment) {
  return judgment.state == JudgmentState::kFailed ? Json(judgment.failure) : Json();
}

Json question_view(const Instruction& instruction) {
  return {{"id", instruction.id.value}, {"text", instruction.text}, {"input", instruction.input}};
}

Json brief_view(const BrowsedJudgment& row) {
  const Judgment& judgment = row.judgment;
  return {{"id", judgment.id.value},
          {"annotator", judgment.annotator.value},
          {"annotator_name", row.annotator_name},
          {"state", name_of(judgment.state)},
          {"label", label_or_null(judgment)},
          {"text", text_or_null(judgment)},
          {"validated", judgment.validated},
          {"failure", failure_or_null(judgment)},
          {"settled_at", time_or_null(row.settled_at)}};
}

template <typename Value>
Json value_or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json requests_view(const RequestFigures& figures) {
  return {{"count", figures.count},
          {"received", figures.received},
          {"failed", figures.failed},
          {"unknown", figures.unknown},
          {"refused", figures.refused},
          {"truncated", figures.truncated},
          {"median_seconds", value_or_null(figures.median_seconds)},
          {"slow_seconds", value_or_null(figures.slow_seconds)},
          {"mean_cost", value_or_null(figures.mean_settled)}};
}

}  // namespace

Json instruction_view(const Instruction& instruction) {
  Json view = question_view(instruction);
  view["split"] = name_of(instruction.split);
  view["source"] = instruction.source;
  view["hash"] = instruction.hash;
  return view;
}

Json instruction_counts_view(Reader& reader) {
  Json counts = Json::object();
  for (const Split split : {Split::kTrain, Split::kGate, Split::kReport}) {
    counts[std::string(name_of(split))] = count_instructions(reader, split);
  }
  return counts;
}

Json response_view(const BrowsedResponse& response) {
  Json judgments = Json::array();
  for (const BrowsedJudgment& judgment : response.judgments) judgments.push_back(brief_view(judgment));
  const Belongs& belongs = response.belongs;
  return {{"id", response.id.value},
          {"run", id_or_null(belongs.run)},
          {"round", id_or_null(belongs.round)},
          {"round_number", belongs.round_number ? Json(*belongs.round_number) : Json()},
          {"evaluation", id_or_null(belongs.evaluation)},
          {"split", name_of(response.split)},
          {"instruction", question_view(response.instruction)},
          {"text", response.text},
          {"finish_reason", response.finish_reason},
          {"model_hash", response.model_hash},
          {"judgments", std::move(judgments)}};
}

Json judgment_view(const BrowsedJudgmentRow& row) {
  const Judgment& judgment = row.judgment.judgment;
  return {{"id", judgment.id.value},
          {"response", judgment.response.value},
          {"run", id_or_null(row.belongs.run)},
          {"round", id_or_null(row.belongs.round)},
          {"evaluation", id_or_null(row.belongs.evaluation)},
          {"split", name_of(judgment.split)},
          {"annotator", judgment.annotator.value},
          {"annotator_name", row.judgment.annotator_name},
          {"state", name_of(judgment.state)},
          {"label", label_or_null(judgment)},
          {"text", text_or_null(judgment)},
          {"validated", judgment.validated},
          {"failure", failure_or_null(judgment)},
          {"attempts", judgment.attempts},
          {"created_at", format_utc(row.judgment.created_at)},
          {"settled_at", time_or_null(row.judgment.settled_at)},
          {"instruction", question_view(row.instruction)},
          {"response_text", row.response_text}};
}

Json judgment_details_view(const BrowsedJudgmentRow& row) {
  const Judgment& judgment = row.judgment.judgment;
  Json view = judgment_view(row);
  view["raw"] = judgment.raw.empty() ? Json() : Json(judgment.raw);
  view["hash"] = judgment.hash.empty() ? Json() : Json(judgment.hash);
  return view;
}

Json annotator_view(const CountedAnnotator& row, const RequestFigures* requests) {
  return {{"id", row.annotator.id.value},
          {"name", row.annotator.name},
          {"version", row.annotator.version},
          {"kind", row.annotator.kind},
          {"config", row.annotator.config.parse()},
          {"judgments",
           {{"pending", row.counts.pending},
            {"done", row.counts.done},
            {"failed", row.counts.failed},
            {"positive", row.counts.positive},
            {"negative", row.counts.negative}}},
          {"requests", requests == nullptr ? Json() : requests_view(*requests)}};
}

Json evaluation_view(Reader& reader, const Evaluation& evaluation) {
  const auto annotator = find_annotator(reader, evaluation.key.annotator);
  return {{"id", evaluation.id.value},
          {"split", name_of(evaluation.split)},
          {"state", name_of(evaluation.state)},
          {"model_hash", evaluation.key.model_hash},
          {"set_hash", evaluation.key.set_hash},
          {"annotator", evaluation.key.annotator.value},
          {"annotator_name", annotator ? annotator->name : ""},
          {"decoding_hash", evaluation.key.decoding_hash},
          {"summary", evaluation.state == EvaluationState::kDone ? evaluation.summary : Json()},
          {"created_at", format_utc(evaluation.created_at)}};
}

Json bins_view(const std::vector<WordBin>& bins) {
  Json list = Json::array();
  for (const WordBin& bin : bins) list.push_back({{"from", bin.from}, {"to", bin.to}, {"count", bin.count}});
  return list;
}

}  // namespace cutd
