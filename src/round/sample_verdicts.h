// What an annotator said of the samples of an evaluation whose verdicts are known already: canaries, anchors.
#pragma once

#include <map>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

// True: Perfect. Without samples whose judgment failed, is pending, or is of no use as a label.
std::map<SampleId, bool> sample_verdicts(Reader& reader, EvaluationId evaluation, AnnotatorId annotator);

}  // namespace cutd
