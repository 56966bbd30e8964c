// P16: of everything that a broken or hostile server can say, nothing but a whole judgment by the asked model is one.
// Each reply goes over a real connection, plain, packed and in chunks, whole and cut at every byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "llm_api/http_support.h"
#include "llm_api/wire_format.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

ChatRequest asked() {
  ChatRequest request;
  request.model = "judge-1";
  request.messages = {{"user", "Judge this."}};
  request.stop = {"###"};
  return request;
}

Json openai() { return fake_openai_reply({{"model", "judge-1"}, {"messages", Json::array()}}, "Perfect."); }
Json anthropic() { return fake_anthropic_reply({{"model", "judge-1"}, {"messages", Json::array()}}, "Perfect."); }

// `value` with the member at `pointer` replaced, or removed where `with` is discarded.
std::string changed(Json value, const std::string& pointer, const Json& with) {
  const Json::json_pointer at(pointer);
  if (with.is_discarded()) value.at(at.parent_pointer()).erase(at.back());
  else value[at] = with;
  return to_json_text(value);
}
const Json kGone = Json(Json::value_t::discarded);

struct Case {
  std::string name;
  FakeReply reply;
  WireFormat format = WireFormat::kOpenAi;
  std::string expected;  // see in_words
};

// "judgment", "finish truncated", "unusable not_json", ...
std::string in_words(const ChatOutcome& outcome) {
  if (const auto* failure = std::get_if<ApiFailure>(&outcome))
    return std::string(failure_class_name(failure->what)) + " " + failure->code;
  const auto& reply = std::get<ChatReply>(outcome);
  return reply.finish == ChatFinish::kWhole ? "judgment" : std::string("finish ") + chat_finish_name(reply.finish);
}

std::string in_words(const Case& one, const HttpOutcome& outcome) {
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    const ApiFailure classified = classify_http_failure(*failure);
    return std::string(failure_class_name(classified.what)) + " " + classified.code;
  }
  return in_words(parse_chat_reply(one.format, asked(), std::get<HttpReply>(outcome), 0));
}

std::vector<Case> openai_cases() {
  const auto c = [](const char* name, const std::string& body, const char* expected) {
    return Case{name, json_text(body), WireFormat::kOpenAi, expected};
  };
  const std::string whole = to_json_text(openai());
  std::string bad_utf8 = whole;
  bad_utf8.replace(bad_utf8.find("Perfect."), 8, "Perf\xc3\x28t.");
  std::string raw_nul = whole;
  raw_nul[raw_nul.find("Perfect.") + 3] = '\0';
  std::string overlong = whole;
  overlong.replace(overlong.find("Perfect."), 8,
                   "\xc0\xae"
                   "erfect.");
  return {
      c("whole", whole, "judgment"),
      c("white space round it", " \r\n" + whole + "\n\n", "judgment"),
      c("dated model", changed(openai(), "/model", "judge-1-2026-01-31"), "judgment"),
      c("empty body", "", "unusable empty"),
      c("white space", "  \n", "unusable not_json"),
      c("html as json", "<html><body>Perfect.</body></html>", "unusable not_json"),
      c("plain text as json", "Perfect.", "unusable not_json"),
      c("json text", "\"Perfect.\"", "unusable unexpected_shape"),
      c("json null", "null", "unusable unexpected_shape"),
      c("json list", "[" + whole + "]", "unusable unexpected_shape"),
      c("empty object", "{}", "unusable unexpected_shape"),
      c("two objects", whole + whole, "unusable not_json"),
      c("a byte after it", whole + "x", "unusable not_json"),
      c("comment", "/* */" + whole, "unusable not_json"),
      c("error in 200", R"({"error":{"message":"overloaded","type":"server_error","code":502}})", "unusable 502"),
      c("error beside an answer", changed(openai(), "/error", "no"), "unusable error"),
      c("credit error in 200", R"({"error":{"message":"x","code":"insufficient_quota"}})",
        "spend_limit insufficient_quota"),
      c("duplicate key", R"({"choices":[],)" + whole.substr(1), "unusable not_json"),
      c("duplicate content",
        changed(openai(), "/model", "judge-1").replace(whole.find("\"content\""), 0, "\"content\":\"Bad.\","),
        "unusable not_json"),
      c("depth 100,000", std::string(100'000, '['), "unusable not_json"),
      c("depth in a member",
        changed(openai(), "/x", Json()).replace(1, 0, "\"deep\":" + std::string(40, '[') + std::string(40, ']') + ","),
        "unusable not_json"),
      c("invalid utf-8", bad_utf8, "unusable not_json"),
      c("overlong utf-8", overlong, "unusable not_json"),
      c("raw NUL", raw_nul, "unusable not_json"),
      c("escaped NUL", changed(openai(), "/choices/0/message/content", std::string("Perfect.\0 not", 13)),
        "unusable nul"),
      c("lone surrogate", R"({"model":"judge-1","choices":[{"message":{"content":"\ud800"},"finish_reason":"stop"}]})",
        "unusable not_json"),
      c("NaN", R"({"x":NaN,)" + whole.substr(1), "unusable not_json"),
      c("null content", changed(openai(), "/choices/0/message/content", nullptr), "unusable empty"),
      c("no content", changed(openai(), "/choices/0/message/content", kGone), "unusable empty"),
      c("empty content", changed(openai(), "/choices/0/message/content", ""), "unusable empty"),
      c("blank content", changed(openai(), "/choices/0/message/content", " \n\t"), "unusable empty"),
      c("content as a number", changed(openai(), "/choices/0/message/content", 1), "unusable unexpected_shape"),
      c("content as parts", changed(openai(), "/choices/0/message/content", Json::array({"Perfect."})),
        "unusable unexpected_shape"),
      c("no choices", changed(openai(), "/choices", Json::array()), "unusable unexpected_shape"),
      c("two choices", changed(openai(), "/choices/1", openai()["choices"][0]), "unusable unexpected_shape"),
      c("choices as object", changed(openai(), "/choices", Json::object()), "unusable unexpected_shape"),
      c("no message", changed(openai(), "/choices/0/message", kGone), "unusable unexpected_shape"),
      c("user's message", changed(openai(), "/choices/0/message/role", "user"), "unusable unexpected_shape"),
      c("no finish", changed(openai(), "/choices/0/finish_reason", kGone), "unusable unexpected_shape"),
      c("null finish", changed(openai(), "/choices/0/finish_reason", nullptr), "unusable unexpected_shape"),
      c("length", changed(openai(), "/choices/0/finish_reason", "length"), "finish truncated"),
      c("content_filter", changed(openai(), "/choices/0/finish_reason", "content_filter"), "finish filtered"),
      c("tool_calls", changed(openai(), "/choices/0/finish_reason", "tool_calls"), "finish tool"),
      c("unknown finish", changed(openai(), "/choices/0/finish_reason", "STOP"), "finish other"),
      c("tool call with stop", changed(openai(), "/choices/0/message/tool_calls", Json::array({Json::object()})),
        "finish tool"),
      c("refusal with stop", changed(openai(), "/choices/0/message/refusal", "I can't help with that."),
        "finish refused"),
      c("wrong model", changed(openai(), "/model", "judge-2"), "unusable wrong_model"),
      c("no model", changed(openai(), "/model", kGone), "unusable unexpected_shape"),
      c("a stream", "data: " + whole + "\n\ndata: [DONE]\n\n", "unusable not_json"),
      c("anthropic's shape", to_json_text(anthropic()), "unusable unexpected_shape"),
  };
}

std::vector<Case> anthropic_cases() {
  const auto c = [](const char* name, const std::string& body, const char* expected) {
    return Case{std::string("anthropic ") + name, json_text(body), WireFormat::kAnthropic, expected};
  };
  Json own_stop = anthropic();
  own_stop["stop_reason"] = "stop_sequence";
  own_stop["stop_sequence"] = "###";
  Json thinking = anthropic();
  thinking["content"].insert(thinking["content"].begin(),
                             Json{{"type", "thinking"}, {"thinking", "hm"}, {"signature", "s"}});
  return {
      c("whole", to_json_text(anthropic()), "judgment"),
      c("at our stop", to_json_text(own_stop), "judgment"),
      c("after thinking", to_json_text(thinking), "judgment"),
      c("at another stop", changed(own_stop, "/stop_sequence", "x"), "finish other"),
      c("max_tokens", changed(anthropic(), "/stop_reason", "max_tokens"), "finish truncated"),
      c("window", changed(anthropic(), "/stop_reason", "model_context_window_exceeded"), "finish truncated"),
      c("refusal", changed(anthropic(), "/stop_reason", "refusal"), "finish refused"),
      c("tool_use", changed(anthropic(), "/stop_reason", "tool_use"), "finish tool"),
      c("pause_turn", changed(anthropic(), "/stop_reason", "pause_turn"), "finish other"),
      c("null stop", changed(anthropic(), "/stop_reason", nullptr), "unusable unexpected_shape"),
      c("no content", changed(anthropic(), "/content", Json::array()), "unusable empty"),
      c("null content", changed(anthropic(), "/content", nullptr), "unusable unexpected_shape"),
      c("tool block", changed(anthropic(), "/content/1", Json{{"type", "tool_use"}}), "finish tool"),
      c("null text", changed(anthropic(), "/content/0/text", nullptr), "unusable unexpected_shape"),
      c("wrong type", changed(anthropic(), "/type", "completion"), "unusable unexpected_shape"),
      c("wrong model", changed(anthropic(), "/model", "other"), "unusable wrong_model"),
      c("error in 200", to_json_text(fake_anthropic_error("no", "overloaded_error")), "unusable overloaded_error"),
      c("openai's shape", to_json_text(openai()), "unusable unexpected_shape"),
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = openai_cases();
  for (Case& one : anthropic_cases()) cases.push_back(std::move(one));
  for (const char* type : {"text/html", "text/plain", "application/octet-stream", "",
                           "application/json; charset=iso-8859-1", "application/jsonp"}) {
    Case one{std::string("content type ") + type, json_text(to_json_text(openai())), WireFormat::kOpenAi,
             "unusable not_json"};
    one.reply.content_type = type;
    cases.push_back(one);
  }
  for (const auto& [status, expected] : std::vector<std::pair<int, const char*>>{{201, "unusable http_201"},
                                                                                 {202, "unusable http_202"},
                                                                                 {204, "unusable http_204"},
                                                                                 {302, "permanent http_302"},
                                                                                 {500, "retryable http_500"}}) {
    Case one{"status " + std::to_string(status), json_text(status == 204 ? "" : to_json_text(openai())),
             WireFormat::kOpenAi, expected};
    one.reply.status = status;
    cases.push_back(one);
  }
  return cases;
}

struct Manner {
  const char* name;
  Framing framing;
  bool gzip;
};
constexpr Manner kManners[] = {
    {"plain", Framing::kLength, false}, {"gzip", Framing::kLength, true}, {"chunked", Framing::kChunked, false}};

TEST(ReplyMatrixTest, TakesNothingButAWholeJudgment) {
  const std::vector<Case> cases = all_cases();
  ASSERT_GE(cases.size(), 40U);
  FakeReply next;
  FakeLlmServer server([&](const FakeRequest&) { return next; });
  HttpClient client(local_http());
  for (const Case& one : cases) {
    for (const Manner& manner : kManners) {
      if (one.reply.status == 204 && manner.framing == Framing::kChunked) continue;  // a 204 has no body to frame
      next = one.reply;
      next.framing = manner.framing;
      next.gzip = manner.gzip;
      EXPECT_EQ(in_words(one, exchange(client, post_to(server.url()))), one.expected)
          << one.name << ", " << manner.name;
    }
  }
}

// The negative control is in the test: the uncut reply is a judgment.
TEST(ReplyMatrixTest, TakesNoCutReplyForAJudgment) {
  const Case whole{"whole", json_text(to_json_text(openai())), WireFormat::kOpenAi, "judgment"};
  for (const Framing framing : {Framing::kLength, Framing::kChunked, Framing::kUntilClose}) {
    for (const bool gzip : {false, true}) {
      FakeReply reply = whole.reply;
      reply.framing = framing;
      reply.gzip = gzip;
      const std::string wire = fake_wire(reply);
      FakeLlmServer server([&](const FakeRequest& request) {
        FakeReply cut = reply;
        cut.cut_at = std::stoul(request.path.substr(1));
        return cut;
      });
      HttpClient client(local_http());
      std::vector<std::string> words(wire.size() + 1);
      for (std::size_t k = 0; k <= wire.size(); ++k) {
        client.submit(post_to(server.url("/" + std::to_string(k))),
                      [&, k](const HttpOutcome& outcome) { words[k] = in_words(whole, outcome); });
      }
      run_until_idle(client);
      const std::size_t all =
          wire.size() - (framing == Framing::kChunked ? 1 : 0);  // the last line feed: http_client_test.cc
      for (std::size_t k = 0; k < all; ++k) EXPECT_NE(words[k], "judgment") << "cut at " << k << " of " << wire.size();
      EXPECT_EQ(words.back(), "judgment");
    }
  }
}

// Lengths that lie, and answers to nobody: what the connection itself cannot tell.
TEST(ReplyMatrixTest, TakesNoReplyWithAFalseLength) {
  const std::string body = to_json_text(openai());
  for (const std::size_t length : {body.size() - 1, body.size() / 2, body.size() + 1, std::size_t{0}}) {
    FakeReply reply;
    reply.raw = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) +
                "\r\n\r\n" + body;
    FakeLlmServer server([&](const FakeRequest&) { return reply; });
    const Case one{"length", reply, WireFormat::kOpenAi, ""};
    EXPECT_NE(in_words(one, exchange(local_http(), post_to(server.url()))), "judgment") << length;
  }
}

}  // namespace
}  // namespace cutd
