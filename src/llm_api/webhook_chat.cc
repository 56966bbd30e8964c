#include "llm_api/webhook_chat.h"

#include "core/error.h"

namespace cutd {

Json webhook_request_body(const ChatRequest& request) {
  if (!request.payload.is_object())
    throw Error(ErrorCode::kUsage, "a webhook is asked for judgments, not for chats: take another api");
  return request.payload;
}

ChatReply read_webhook_reply(const Json& body) {
  ChatReply reply;
  reply.text = to_json_text(body);
  reply.finish = ChatFinish::kWhole;  // an object that was cut is no JSON
  reply.finish_name = "whole";
  return reply;
}

}  // namespace cutd
