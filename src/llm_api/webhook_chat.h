// One judgment as one POST to a program of the operator's own: what is sent and what comes back is
// schemas/json/webhook_judge.json, without messages, model or tokens.
#pragma once

#include "llm_api/wire_format.h"

namespace cutd {

// The request's payload is the whole body. Error(kUsage) for a request without one.
Json webhook_request_body(const ChatRequest& request);

// Of a body that read_reply_json took: its text is the object itself, for the parser of judgments to read strictly.
ChatReply read_webhook_reply(const Json& body);

}  // namespace cutd
