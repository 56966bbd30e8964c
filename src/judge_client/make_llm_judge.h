// From an annotator's configuration to its judge.
#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "judge_client/llm_annotator.h"
#include "judge_client/llm_judge.h"

namespace cutd {

// The options of a judge that is asked over HTTP; `key` may be empty.
LlmJudgeOptions llm_judge_options(const LlmAnnotator& config, const std::string& key);
// Of kind batch, when `batch`.
std::unique_ptr<Judge> make_llm_judge(const LlmAnnotator& config, const std::string& key, const Clock& clock,
                                      bool batch = false);

}  // namespace cutd
