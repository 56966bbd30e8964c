#include "server/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

Request parsed(const char* target) {
  Request request;
  parse_target(target, request);
  return request;
}

TEST(TargetTest, SplitsAndDecodes) {
  const Request request = parsed("/api/v1/a%20b?after=12&name=x+%26y&flag&after=13");
  EXPECT_EQ(request.path, "/api/v1/a b");
  EXPECT_EQ(request.query.at("after"), "13");
  EXPECT_EQ(request.query.at("name"), "x &y");
  EXPECT_EQ(request.query.at("flag"), "");
}

TEST(TargetTest, APlusInThePathIsAPlus) { EXPECT_EQ(parsed("/a+b").path, "/a+b"); }

class BadTargetTest : public ::testing::TestWithParam<const char*> {};
TEST_P(BadTargetTest, IsRefused) { EXPECT_THROW(parsed(GetParam()), Error); }
INSTANTIATE_TEST_SUITE_P(Targets, BadTargetTest,
                         ::testing::Values("", "*", "http://host/path", "host:443", "/%", "/%4", "/%zz", "/%00",
                                           "/?a=%0", "/%ff", "/?a=%c3"));

TEST(QueryTest, IntegersAreCheckedAgainstTheirRange) {
  const Request request = parsed("/x?a=5&b=5x&c=-1&d=99999999999999999999");
  EXPECT_EQ(query_integer(request, "a", 0, 0, 10), 5);
  EXPECT_EQ(query_integer(request, "absent", 7, 0, 10), 7);
  EXPECT_THROW(query_integer(request, "b", 0, 0, 10), Error);
  EXPECT_THROW(query_integer(request, "c", 0, 0, 10), Error);
  EXPECT_THROW(query_integer(request, "d", 0, 0, 10), Error);
}

TEST(ProblemTest, SaysStatusDetailAndCode) {
  const Reply reply = problem_reply(Error(ErrorCode::kConflict, "round 3 is completed"));
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  EXPECT_EQ(parse_json(reply.body, "reply"),
            (Json{{"title", "Conflict"}, {"status", 409}, {"detail", "round 3 is completed"}, {"code", "conflict"}}));
}

TEST(JsonBodyTest, WantsAnObjectWithoutSurprises) {
  Request request;
  EXPECT_EQ(json_body(request), Json::object());
  for (const char* body : {"[]", "1", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}"}) {
    request.body = body;
    EXPECT_THROW(json_body(request), Error) << body;
  }
  request.body = std::string(33, '[') + std::string(33, ']');
  EXPECT_THROW(json_body(request), Error);
}

TEST(EventTextTest, IsOneBlock) {
  EXPECT_EQ(event_text("progress", {{"text", "a\nb"}}, "7"), "id: 7\nevent: progress\ndata: {\"text\":\"a\\nb\"}\n\n");
}

}  // namespace
}  // namespace cutd
