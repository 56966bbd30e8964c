// What a judge's server may answer, whole, for tests over real HTTP: a judgment as each API says it, and everything
// about such an answer that can be wrong.
#pragma once

#include <string>
#include <vector>

#include "judge_client/bad_replies.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {

struct WireReply {
  std::string name;
  FakeReply reply;
  bool framed = false;  // says itself how its bytes are framed: neither packed nor cut into chunks by the test
};

// `text` inside a JSON string, byte for byte: what is no UTF-8 stays none.
inline std::string escaped(const std::string& text) {
  std::string result;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    static constexpr const char* kHex = "0123456789abcdef";
    if (byte == '"' || byte == '\\') result += '\\';
    if (value >= 0x20) result += byte;
    else result += std::string("\\u00") + kHex[value / 16] + kHex[value % 16];
  }
  return result;
}

inline Json answer_of(const std::string& api, const Json& text) {
  const Json request = {{"model", "judge-1"}, {"messages", Json::array()}};
  return api == "openai" ? fake_openai_reply(request, text) : fake_anthropic_reply(request, text);
}

// A whole answer of the API that says `text`; a webhook says nothing else.
inline std::string body_of(const std::string& api, const std::string& text) {
  if (api == "webhook") return text;
  const std::string place = "@place@";
  std::string body = to_json_text(answer_of(api, place));
  return body.replace(body.find(place), place.size(), escaped(text));
}

inline FakeReply reply_of(const std::string& body) {
  FakeReply reply;
  reply.body = body;
  return reply;
}

// `good`, an answer that is a judgment, with one thing wrong about its bytes.
inline std::vector<WireReply> bad_bodies(const std::string& good) {
  const std::string inner = good.substr(1);  // after the first brace
  const auto c = [](const char* name, const std::string& body) { return WireReply{name, reply_of(body)}; };
  std::string bad_utf8 = good;
  bad_utf8.replace(bad_utf8.find("ignores"), 7, "ign\xc3\x28res");
  std::string raw_nul = good;
  raw_nul[raw_nul.find("ignores") + 3] = '\0';
  return {
      c("no body", ""),
      c("white space", " \r\n"),
      c("an HTML page as JSON", "<!doctype html><html><body>Perfect.</body></html>"),
      c("a text as JSON", "Perfect."),
      c("a JSON text", "\"Perfect.\""),
      c("true", "true"),
      c("null", "null"),
      c("a list of it", "[" + good + "]"),
      c("an empty object", "{}"),
      c("it twice", good + good),
      c("a byte after it", good + "x"),
      c("a comma after it", good + ","),
      c("a comment before it", "/* */" + good),
      c("a byte order mark and it twice", "\xef\xbb\xbf" + good + good),
      c("an error object", R"({"error":{"message":"overloaded","type":"server_error","code":502}})"),
      c("an error beside it", R"({"error":{"message":"overloaded"},)" + inner),
      c("an error as text beside it", R"({"error":"no",)" + inner),
      c("an error about money", R"({"error":{"message":"x","code":"insufficient_quota"}})"),
      c("its first key twice", "{" + inner.substr(0, inner.find(':')) + ":0," + inner),
      c("a depth of 100,000", std::string(100'000, '[')),
      c("a deep member", "{\"deep\":" + std::string(40, '[') + std::string(40, ']') + "," + inner),
      c("invalid UTF-8", bad_utf8),
      c("a NUL", raw_nul),
      c("NaN", R"({"x":NaN,)" + inner),
      c("a lone surrogate", R"({"x":"\ud800",)" + inner),
      c("a stream", "data: " + good + "\n\ndata: [DONE]\n\n"),
      c("half of it", good.substr(0, good.size() / 2)),
      c("all but its last byte", good.substr(0, good.size() - 1)),
  };
}

inline std::vector<WireReply> bad_heads(const std::string& good) {
  std::vector<WireReply> replies;
  for (const char* type : {"text/html", "text/plain", "application/octet-stream", "", "application/jsonp",
                           "application/json; charset=iso-8859-1"}) {
    replies.push_back({std::string("type \"") + type + "\"", reply_of(good)});
    replies.back().reply.content_type = type;
  }
  for (const int status : {201, 202, 203, 206, 301, 302, 307, 308, 400, 401, 402, 403,
                           404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504, 529}) {
    replies.push_back({"status " + std::to_string(status), reply_of(good)});
    replies.back().reply.status = status;
  }
  return replies;
}

// Lengths that lie, codings that are none, bodies without end.
inline std::vector<WireReply> bad_framings(const std::string& good) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  std::vector<WireReply> replies;
  const auto raw = [&](const char* name, const std::string& bytes) {
    replies.push_back({name, {}, true});
    replies.back().reply.raw = bytes;
  };
  const auto length = [&](std::size_t size) { return head + "Content-Length: " + std::to_string(size) + "\r\n\r\n"; };
  raw("a length too small", length(good.size() - 1) + good);
  raw("a length too large", length(good.size() + 1) + good);
  raw("a length of nothing", length(0) + good);
  raw("two lengths", head + "Content-Length: 1\r\nContent-Length: " + std::to_string(good.size()) + "\r\n\r\n" + good);
  raw("a chunk that says more than it holds",
      head + "Transfer-Encoding: chunked\r\n\r\nfff\r\n" + good + "\r\n0\r\n\r\n");
  raw("chunks without an end", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n");
  raw("gzip that is none",
      head + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(good.size()) + "\r\n\r\n" + good);
  raw("no HTTP at all", good);
  replies.push_back({"closed without a byte", {}, true});
  replies.back().reply.drop = true;
  replies.push_back({"a body of 1 GiB", reply_of(std::string(1U << 20, ' ')), true});
  replies.back().reply.repeat = 1024;
  replies.push_back({"a bomb", reply_of(gzip_bytes(std::string(1U << 20, ' '), 256)), true});
  replies.back().reply.headers = {{"Content-Encoding", "gzip"}};
  return replies;
}

// What only the API itself can say: another model, another finish, no text, another API's answer.
inline std::vector<WireReply> bad_answers(const std::string& api, const std::string& text) {
  std::vector<WireReply> replies;
  if (api == "webhook") {
    for (const char* other : {"openai", "anthropic"})
      replies.push_back({std::string("an answer of ") + other, reply_of(body_of(other, text))});
    return replies;
  }
  const Json good = answer_of(api, text);
  const auto changed = [&](const std::string& pointer, const Json& with) {
    Json body = good;
    body[Json::json_pointer(pointer)] = with;
    replies.push_back({pointer + " " + with.dump(), reply_of(to_json_text(body))});
  };
  const bool openai = api == "openai";
  replies.push_back({"another API's answer", reply_of(body_of(openai ? "anthropic" : "openai", text))});
  replies.push_back({"a webhook's answer", reply_of(R"({"item":"00000000","perfect":true,"critique":""})")});
  for (const char* model : {"judge-2", "", "judge-1-mini"}) changed("/model", model);
  if (openai) {
    for (const char* finish : {"length", "content_filter", "tool_calls", "function_call", "refusal", "STOP", ""})
      changed("/choices/0/finish_reason", finish);
    changed("/choices/0/finish_reason", nullptr);
    for (const Json& content : {Json(), Json(""), Json(" \n"), Json(1), Json::array({text})})
      changed("/choices/0/message/content", content);
    changed("/choices/0/message/role", "user");
    changed("/choices/0/message/refusal", "I can't help with that.");
    changed("/choices/0/message/tool_calls", Json::array({Json::object()}));
    changed("/choices/1", good["choices"][0]);
    changed("/choices", Json::array());
  } else {
    for (const char* stop : {"max_tokens", "model_context_window_exceeded", "refusal", "tool_use", "pause_turn",
                             "stop_sequence", "END_TURN", ""})
      changed("/stop_reason", stop);
    changed("/stop_reason", nullptr);
    for (const Json& content : {Json(), Json(text), Json::array(), Json::object()}) changed("/content", content);
    changed("/content/0/text", nullptr);
    changed("/content/0/text", " \n");
    changed("/content/1", Json{{"type", "tool_use"}});
    changed("/role", "user");
    changed("/type", "completion");
  }
  return replies;
}

}  // namespace cutd
