#include "llm_api/wire_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cutd {
namespace {

ChatRequest judge_request() {
  ChatRequest request;
  request.model = "judge-1";
  request.messages = {{"system", "You judge."}, {"user", "What is wrong with \"x\"?"}};
  request.max_tokens = 300;
  request.temperature = 0;
  request.stop = {"###"};
  return request;
}

std::string header_of(const HttpRequest& request, const std::string& name) {
  for (const HttpHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

TEST(WireFormatTest, AsksOpenAi) {
  ChatRequest request = judge_request();
  request.seed = 7;
  const HttpRequest http = chat_http_request({WireFormat::kOpenAi, "https://api.openai.com/v1", "k"}, request);
  EXPECT_EQ(http.url, "https://api.openai.com/v1/chat/completions");
  EXPECT_EQ(header_of(http, "Authorization"), "Bearer k");
  EXPECT_EQ(
      http.body,
      R"({"model":"judge-1","messages":[{"role":"system","content":"You judge."},{"role":"user","content":"What is wrong with \"x\"?"}],)"
      R"("max_tokens":300,"temperature":0.0,"stop":["###"],"seed":7})");
}

TEST(WireFormatTest, AsksOpenAiForASchemaAndLogprobs) {
  ChatRequest request = judge_request();
  request.schema = Json::parse(R"({"type":"object"})");
  request.top_logprobs = 5;
  request.legacy_max_tokens = false;
  const Json body = Json::parse(chat_http_request({WireFormat::kOpenAi, "http://localhost:8000", ""}, request).body);
  EXPECT_EQ(
      body["response_format"],
      Json::parse(
          R"({"type":"json_schema","json_schema":{"name":"judgment","strict":true,"schema":{"type":"object"}}})"));
  EXPECT_EQ(body["logprobs"], true);
  EXPECT_EQ(body["top_logprobs"], 5);
  EXPECT_EQ(body["max_completion_tokens"], 300);
  EXPECT_FALSE(body.contains("max_tokens"));
}

TEST(WireFormatTest, AsksAnthropic) {
  const HttpRequest http =
      chat_http_request({WireFormat::kAnthropic, "https://api.anthropic.com/", "k"}, judge_request());
  EXPECT_EQ(http.url, "https://api.anthropic.com/v1/messages");
  EXPECT_EQ(header_of(http, "x-api-key"), "k");
  EXPECT_EQ(header_of(http, "anthropic-version"), "2023-06-01");
  EXPECT_EQ(header_of(http, "Authorization"), "");
  EXPECT_EQ(http.body,
            R"({"model":"judge-1","max_tokens":300,"messages":[{"role":"user","content":"What is wrong with \"x\"?"}],)"
            R"("system":"You judge.","temperature":0.0,"stop_sequences":["###"]})");
}

// Its API answers 400 to a schema with bounds.
TEST(WireFormatTest, TellsAnthropicASchemasBoundsInWords) {
  ChatRequest request = judge_request();
  request.schema = Json::parse(
      R"({"type":"object","required":["rating"],"properties":{"rating":{"type":"integer","minimum":1,"maximum":10},)"
      R"("maximum":{"type":"array","items":{"type":"string","description":"A word.","maxLength":9}}}})");
  const Json body =
      Json::parse(chat_http_request({WireFormat::kAnthropic, "https://a.example.com", "k"}, request).body);
  EXPECT_EQ(
      body["output_config"]["format"]["schema"],
      Json::parse(
          R"({"type":"object","required":["rating"],"properties":{"rating":{"type":"integer","description":"{minimum: 1, maximum: 10}"},)"
          R"("maximum":{"type":"array","items":{"type":"string","description":"A word.\n\n{maxLength: 9}"}}}})"));
}

TEST(WireFormatTest, SaysWhatAnthropicCannotDo) {
  ChatRequest request = judge_request();
  request.top_logprobs = 5;
  EXPECT_THROW(chat_http_request({WireFormat::kAnthropic, "https://api.anthropic.com", "k"}, request), Error);
  request.top_logprobs = 0;
  request.seed = 1;
  EXPECT_THROW(chat_http_request({WireFormat::kAnthropic, "https://api.anthropic.com", "k"}, request), Error);
}

TEST(WireFormatTest, ReadsLogprobs) {
  HttpReply reply;
  reply.status = 200;
  reply.headers = {{"content-type", "application/json"}};
  reply.body =
      R"({"id":"c","model":"judge-1","choices":[{"index":0,"message":{"role":"assistant","content":"m"},"finish_reason":"stop",)"
      R"("logprobs":{"content":[{"token":"m","logprob":-0.25,"bytes":[109],"top_logprobs":[{"token":"m","logprob":-0.25,"bytes":[109]},)"
      R"({"token":"M","logprob":-1.5,"bytes":null}]}]}}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,)"
      R"("prompt_tokens_details":{"cached_tokens":4}}})";
  const auto outcome = parse_chat_reply(WireFormat::kOpenAi, judge_request(), reply, 0);
  const auto& chat = std::get<ChatReply>(outcome);
  ASSERT_EQ(chat.logprobs.size(), 1U);
  EXPECT_EQ(chat.logprobs[0].top, (std::vector<std::pair<std::string, double>>{{"m", -0.25}, {"M", -1.5}}));
  ASSERT_TRUE(chat.usage);
  EXPECT_EQ(chat.usage->input_tokens, 5);
  EXPECT_EQ(chat.usage->cached_tokens, 4);
}

TEST(WireFormatTest, BelievesOnlyPossibleUsage) {
  const auto openai = [](const std::string& usage) {
    return read_usage(WireFormat::kOpenAi, R"({"usage":)" + usage + "}");
  };
  EXPECT_EQ(openai(R"({"prompt_tokens":10,"completion_tokens":2})").value().input_tokens, 10);
  for (const char* usage :
       {"null", "{}", "[]", "7", R"({"prompt_tokens":10})", R"({"prompt_tokens":-1,"completion_tokens":2})",
        R"({"prompt_tokens":1e30,"completion_tokens":2})", R"({"prompt_tokens":99999999999,"completion_tokens":2})",
        R"({"prompt_tokens":1.5,"completion_tokens":2})", R"({"prompt_tokens":"10","completion_tokens":2})",
        R"({"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":5}})"}) {
    EXPECT_FALSE(openai(usage)) << usage;
  }
  EXPECT_FALSE(read_usage(WireFormat::kOpenAi, "<html>"));
  const auto anthropic = read_usage(
      WireFormat::kAnthropic,
      R"({"usage":{"input_tokens":3,"output_tokens":2,"cache_read_input_tokens":10,"cache_creation_input_tokens":null}})");
  EXPECT_EQ(anthropic.value().input_tokens, 13);
  EXPECT_EQ(anthropic.value().cached_tokens, 10);
}

TEST(WireFormatTest, KnowsItsModelByItsVersions) {
  EXPECT_TRUE(is_asked_model("gpt-4o", "gpt-4o", {}));
  EXPECT_TRUE(is_asked_model("gpt-4o", "gpt-4o-2024-08-06", {}));
  EXPECT_TRUE(is_asked_model("gpt-4", "gpt-4-0613", {}));
  EXPECT_TRUE(is_asked_model("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", {}));
  EXPECT_FALSE(is_asked_model("gpt-4o", "gpt-4o-mini", {}));
  EXPECT_FALSE(is_asked_model("gpt-4o", "gpt-4o-mini-2024-07-18", {}));
  EXPECT_FALSE(is_asked_model("gpt-4o", "gpt-3.5-turbo", {}));
  EXPECT_FALSE(is_asked_model("gpt-4o", "gpt-4o-", {}));
  EXPECT_FALSE(is_asked_model("gpt-4o", "", {}));
  EXPECT_TRUE(is_asked_model("judge", "/models/judge.gguf", {"/models/judge.gguf"}));
  EXPECT_TRUE(is_asked_model("judge", "anything", {"*"}));
}

}  // namespace
}  // namespace cutd
