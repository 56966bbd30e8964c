#include "round/judging.h"

#include "core/error.h"
#include "round/frozen_run.h"
#include "round/judge_sink.h"
#include "store/evaluations.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr std::int64_t kPassLimit = 2000;  // judgments read at once

struct JudgeTask {
  AnnotatorId annotator;
  AnnotatorConfig config;
  std::vector<PendingJudgment> pending;
};

AnnotatorConfig annotator_config(Reader& reader, AnnotatorId id) {
  const std::optional<Annotator> annotator = find_annotator(reader, id);
  if (!annotator) throw Error(ErrorCode::kInternal, "no annotator " + std::to_string(id.value));
  return parse_annotator(annotator->config, "annotator " + annotator->name);
}

std::vector<JudgeTask> read_tasks(Reader& reader) {
  std::vector<std::pair<UnitOwner, AnnotatorId>> owners;
  for (const Round& round : list_open_rounds(reader)) {
    if (!is_active(round.phase)) continue;
    const std::optional<Run> run = find_run(reader, round.run);
    if (run) owners.emplace_back(round.id, frozen_annotator(*run));
  }
  for (const Evaluation& evaluation : list_evaluations(reader)) {
    if (evaluation.state == EvaluationState::kOpen) owners.emplace_back(evaluation.id, evaluation.key.annotator);
  }
  std::vector<JudgeTask> tasks;
  for (const auto& [owner, annotator] : owners) {
    std::vector<PendingJudgment> pending = list_pending_judgments(reader, owner, annotator, kPassLimit);
    if (!pending.empty()) tasks.push_back({annotator, annotator_config(reader, annotator), std::move(pending)});
  }
  return tasks;
}

JudgeRequest request_of(const PendingJudgment& pending) {
  const Instruction& instruction = pending.instruction;
  return {RequestId{pending.id.value},
          instruction.input.empty() ? instruction.text : instruction.text + "\n" + instruction.input,
          pending.response.text, pending.response.finish_reason == "stop"};
}

}  // namespace

std::int64_t judge_pending(Store& store, const JudgeFactory& make, std::stop_token stop) {
  const std::vector<JudgeTask> tasks = store.read([](Reader& reader) { return read_tasks(reader); });
  std::int64_t worked_on = 0;
  for (const JudgeTask& task : tasks) {
    if (stop.stop_requested()) break;
    const std::unique_ptr<Judge> judge = make(task.config);
    for (const PendingJudgment& pending : task.pending) judge->submit(request_of(pending));
    StoreJudgeSink sink(store);
    judge->run(stop, sink);
    sink.wait();
    worked_on += static_cast<std::int64_t>(task.pending.size());
  }
  return worked_on;
}

}  // namespace cutd
