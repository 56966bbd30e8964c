#include "pairwise/ranking.h"

#include <cmath>

#include "core/error.h"
#include "pairwise/python_literal.h"

namespace cutd {
namespace {

PairVerdict missing(const std::string& reason) { return {std::nullopt, reason}; }

// Python's `rank in [1, 2]`: 1, 1.0 and True are the same.
std::optional<double> rank_of(const Json& value) {
  const double rank = value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.is_number() ? value.get<double>() : 0;
  if (rank == 1 || rank == 2) return rank;
  return std::nullopt;
}

}  // namespace

PairVerdict read_ranking(const ChatReply& reply) {
  if (reply.finish != ChatFinish::kWhole) return missing("the reply did not end by itself (" + reply.finish_name + ")");
  Json ranking;
  try {
    ranking = parse_python_literal(reply.text);
  } catch (const Error& error) {
    return missing(error.what());
  }
  if (!ranking.is_array()) return missing("the reply is no list");
  const Json* first = nullptr;
  for (const Json& entry : ranking) {
    if (!entry.is_object() || !entry.contains("model")) return missing("an entry of the ranking has no 'model'");
    if (first == nullptr && entry["model"] == "model_1") first = &entry;
  }
  if (first == nullptr || !first->contains("rank")) return missing("the ranking has no rank of model_1");
  const auto rank = rank_of(first->at("rank"));
  if (!rank) return missing("the rank of model_1 is neither 1 nor 2");
  return {rank, ""};
}

PairVerdict read_weights(const ChatReply& reply, const std::string& first_token, const std::string& second_token) {
  if (reply.finish != ChatFinish::kWhole && reply.finish != ChatFinish::kTruncated)
    return missing("the reply was cut off (" + reply.finish_name + ")");
  if (reply.logprobs.empty() || reply.logprobs.front().top.empty())
    return missing("the reply has no log-probabilities");
  std::optional<double> first;
  std::optional<double> second;
  for (const auto& [token, logprob] : reply.logprobs.front().top) {
    if (token == first_token) first = logprob;
    if (token == second_token) second = logprob;
  }
  if (!first && !second)
    return missing("neither " + first_token + " nor " + second_token + " is among the first token's likeliest");
  if (!first) return {2.0, ""};
  if (!second) return {1.0, ""};
  return {2 - 1 / (1 + std::exp(*second - *first)), ""};
}

}  // namespace cutd
