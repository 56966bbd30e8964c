#include "round/judge_tasks.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "round/canaries.h"
#include "round/frozen_run.h"
#include "round/quorum.h"
#include "store/evaluations.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

struct Task {
  UnitOwner owner;
  AnnotatorId annotator;
};

std::vector<Task> tasks_at_work(Reader& reader) {
  std::vector<Task> tasks;
  for (const Round& round : list_open_rounds(reader)) {
    if (!is_active(round.phase)) continue;
    const std::optional<Run> run = find_run(reader, round.run);
    if (!run) continue;
    for (const AnnotatorId annotator : working_annotators(reader, frozen_annotator(*run)))
      tasks.push_back({round.id, annotator});
  }
  std::set<AnnotatorId> asked;  // by runs at work: a paused one asks for nothing
  for (const Run& run : list_runs(reader, RunState::kActive)) asked.insert(frozen_annotator(run));
  for (const Evaluation& evaluation : list_evaluations(reader)) {
    if (is_canary_evaluation(evaluation)) continue;  // with its round's
    if (evaluation.state != EvaluationState::kOpen || !asked.contains(evaluation.key.annotator)) continue;
    for (const AnnotatorId annotator : working_annotators(reader, evaluation.key.annotator))
      tasks.push_back({evaluation.id, annotator});
  }
  return tasks;
}

}  // namespace

AnnotatorConfig annotator_config(Reader& reader, AnnotatorId id) {
  const std::optional<Annotator> annotator = find_annotator(reader, id);
  if (!annotator) throw Error(ErrorCode::kInternal, "no annotator " + std::to_string(id.value));
  return parse_annotator(annotator->config.parse(), "annotator " + annotator->name);
}

std::vector<AnnotatorId> annotators_with_work(Reader& reader) {
  const std::vector<AnnotatorId> pending = list_annotators_with_pending_judgments(reader);
  if (pending.empty()) return {};
  std::set<AnnotatorId> at_work;
  for (const Task& task : tasks_at_work(reader)) at_work.insert(task.annotator);
  std::vector<AnnotatorId> found;
  for (const AnnotatorId annotator : pending) {
    if (at_work.contains(annotator) && annotator_config(reader, annotator).kind != "human") found.push_back(annotator);
  }
  return found;
}

std::vector<PendingJudgment> waiting_judgments(Reader& reader, AnnotatorId annotator, std::int64_t limit,
                                               const std::set<JudgmentId>& held) {
  std::vector<PendingJudgment> waiting;
  const auto known = static_cast<std::int64_t>(held.size());
  if (count_pending(reader, annotator) <= known) return waiting;  // the usual case while all of them are under way
  for (const Task& task : tasks_at_work(reader)) {
    if (task.annotator != annotator) continue;
    const std::int64_t most = limit < 0 ? -1 : limit + known;
    std::vector<PendingJudgment> pending =
        mix_in_canaries(reader, task.owner, annotator, list_pending_judgments(reader, task.owner, annotator, most));
    for (PendingJudgment& one : pending) {
      if (limit >= 0 && static_cast<std::int64_t>(waiting.size()) >= limit) return waiting;
      if (!held.contains(one.id)) waiting.push_back(std::move(one));
    }
  }
  return waiting;
}

}  // namespace cutd
