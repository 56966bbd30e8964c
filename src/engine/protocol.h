// What the messages of the engine's protocol carry: the structs of engine/engine.h as JSON and back.
// Requests: load, generate, score, explain, train, merge, cancel, status, shutdown. Notifications of the engine:
// progress and heartbeat. Parsing is strict (a missing, mistyped or unknown key is Error(kBadInput)
// naming it): both programs come from one build, so a difference is a mistake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "engine/engine.h"

namespace cutd {

namespace rpc_method {
inline constexpr const char* kLoad = "load";
inline constexpr const char* kGenerate = "generate";
inline constexpr const char* kScore = "score";
inline constexpr const char* kExplain = "explain";
inline constexpr const char* kTrain = "train";
inline constexpr const char* kMerge = "merge";
inline constexpr const char* kCancel = "cancel";      // {request}: answered at once; the request ends kCancelled
inline constexpr const char* kStatus = "status";      // answered at once, also while a request runs
inline constexpr const char* kShutdown = "shutdown";  // answered, then the engine ends
inline constexpr const char* kProgress = "progress";
inline constexpr const char* kHeartbeat = "heartbeat";
}  // namespace rpc_method

// `progress` grows with every sign of work; phase is "idle" between requests.
struct Heartbeat {
  std::string phase;
  std::int64_t progress = 0;
};

// EngineProgress of the request with this id.
struct ProgressNotification {
  std::int64_t request = 0;
  EngineProgress progress;
};

using GenerateReply = std::vector<GeneratedResponse>;
using ScoreReply = std::vector<std::vector<double>>;

Json encode(const ModelSpec& model);
Json encode(const GenerateRequest& request);
Json encode(const ScoreRequest& request);
Json encode(const ExplainRequest& request);
Json encode(const TrainRequest& request);
Json encode(const MergeRequest& request);
Json encode(const LoadReply& reply);
Json encode(const GenerateReply& reply);
Json encode(const ScoreReply& reply);
Json encode(const ExplainReply& reply);
Json encode(const TrainReply& reply);
Json encode(const MergeReply& reply);
Json encode(const Heartbeat& heartbeat);
Json encode(const ProgressNotification& notification);

// Defined for every type above, and for no other.
template <typename T>
T decode(const Json& value);
template <>
ModelSpec decode<ModelSpec>(const Json& value);
template <>
GenerateRequest decode<GenerateRequest>(const Json& value);
template <>
ScoreRequest decode<ScoreRequest>(const Json& value);
template <>
ExplainRequest decode<ExplainRequest>(const Json& value);
template <>
TrainRequest decode<TrainRequest>(const Json& value);
template <>
MergeRequest decode<MergeRequest>(const Json& value);
template <>
LoadReply decode<LoadReply>(const Json& value);
template <>
GenerateReply decode<GenerateReply>(const Json& value);
template <>
ScoreReply decode<ScoreReply>(const Json& value);
template <>
ExplainReply decode<ExplainReply>(const Json& value);
template <>
TrainReply decode<TrainReply>(const Json& value);
template <>
MergeReply decode<MergeReply>(const Json& value);
template <>
Heartbeat decode<Heartbeat>(const Json& value);
template <>
ProgressNotification decode<ProgressNotification>(const Json& value);

}  // namespace cutd
