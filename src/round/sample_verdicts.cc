#include "round/sample_verdicts.h"

#include "store/judgments.h"
#include "store/units.h"

namespace cutd {

std::map<SampleId, bool> sample_verdicts(Reader& reader, EvaluationId evaluation, AnnotatorId annotator) {
  std::map<ResponseId, SampleId> samples;
  for (const Response& response : list_responses(reader, evaluation)) samples[response.id] = response.sample;
  std::map<SampleId, bool> verdicts;
  for (const Judgment& judgment : list_judgments(reader, evaluation, annotator)) {
    if (judgment.state != JudgmentState::kDone || !judgment.validated) continue;
    verdicts[samples.at(judgment.response)] = judgment.label == JudgmentLabel::kPositive;
  }
  return verdicts;
}

}  // namespace cutd
