// What `cutd eval run` says at its end: the figures, why pairs are missing, and what to do about it. Pure.
#pragma once

#include <string>

#include "pairwise/annotate.h"

namespace cutd {

std::string eval_dollars(std::int64_t micros);

// `output`: where the annotations were written.
Json eval_run_json(const AnnotateResult& result, const std::string& output);
std::string eval_run_text(const AnnotateResult& result, const std::string& output);

// For standard error, a line each: why it stopped, what failed most often, which flag helps. Empty: every pair was
// asked about (replies that are no verdict are missing, as AlpacaEval has it, and asking again would not help).
std::string eval_run_advice(const AnnotateResult& result);

}  // namespace cutd
