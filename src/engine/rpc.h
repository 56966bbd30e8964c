// JSON-RPC 2.0 as the two programs speak it: one message a line, ids are integers, no batches.
// What the messages carry is in engine/protocol.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.h"
#include "core/json.h"

namespace cutd {

// A line longer than this ends the connection. A unit's answer is far smaller: 1,000 responses of
// 2,000 tokens with log-probabilities are about 50 MB.
constexpr std::size_t kMaxRpcLineBytes = 256u << 20;

struct RpcRequest {
  std::int64_t id = 0;
  std::string method;
  Json params;
};
struct RpcReply {
  std::int64_t id = 0;
  Json result;
};
// The error's name travels in error.data.code, so that the other side throws the same ErrorCode.
struct RpcFailure {
  std::optional<std::int64_t> id;  // absent when the request could not be read
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};
struct RpcNotification {
  std::string method;
  Json params;
};
using RpcMessage = std::variant<RpcRequest, RpcReply, RpcFailure, RpcNotification>;

// Throws Error(kBadInput) saying what is wrong with the line.
RpcMessage parse_rpc(std::string_view line);

// One line, '\n' included.
std::string encode_rpc(const RpcRequest& request);
std::string encode_rpc(const RpcReply& reply);
std::string encode_rpc(const RpcFailure& failure);
std::string encode_rpc(const RpcNotification& notification);

}  // namespace cutd
