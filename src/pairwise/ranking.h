// The two ways to read a reply, before the order of the outputs is turned back: 1 says that the output shown first is
// better, 2 the other one. As alpaca_eval/completion_parsers.py: ranking_parser, logprob_parser. Pure.
#pragma once

#include <string>

#include "llm_api/chat.h"
#include "pairwise/evaluator.h"

namespace cutd {

PairVerdict read_ranking(const ChatReply& reply);
PairVerdict read_weights(const ChatReply& reply, const std::string& first_token, const std::string& second_token);

}  // namespace cutd
