#include "server/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

constexpr std::size_t kBodyLimit = 1000;

// Status of the refusal of a head; 0 when it is accepted.
int refusal_of(const std::string& text) {
  RequestHead head;
  const auto refusal = parse_head(text, kBodyLimit, head);
  return refusal ? refusal->status : 0;
}

std::string with(const std::string& headers) { return "POST /x HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n"; }

TEST(RequestHeadTest, ReadsWhatAHandlerNeeds) {
  RequestHead head;
  ASSERT_FALSE(parse_head("POST /a/b?c=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nX-Two: a\r\nx-two: b\r\n\r\n",
                          kBodyLimit, head));
  EXPECT_EQ(head.request.method, "POST");
  EXPECT_EQ(head.request.path, "/a/b");
  EXPECT_EQ(head.request.query.at("c"), "1");
  EXPECT_EQ(head.request.headers.at("x-two"), "a, b");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
}

TEST(RequestHeadTest, KeepAliveFollowsVersionAndHeader) {
  RequestHead head;
  parse_head(with("Connection: close\r\n"), kBodyLimit, head);
  EXPECT_FALSE(head.keep_alive);
  parse_head("GET / HTTP/1.0\r\n\r\n", kBodyLimit, head);
  EXPECT_FALSE(head.keep_alive);
}

TEST(RequestHeadTest, BodiesAreBoundedBeforeTheyAreRead) {
  EXPECT_EQ(refusal_of(with("Content-Length: 1000\r\n")), 0);
  EXPECT_EQ(refusal_of(with("Content-Length: 1001\r\n")), 413);
  EXPECT_EQ(refusal_of(with("Content-Length: 9223372036854775808\r\n")), 413);
}

TEST(RequestHeadTest, TransferCodingsAreRefused) { EXPECT_EQ(refusal_of(with("Transfer-Encoding: chunked\r\n")), 411); }

class MalformedHeadTest : public ::testing::TestWithParam<std::string> {};
TEST_P(MalformedHeadTest, Is400) { EXPECT_EQ(refusal_of(GetParam()), 400) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(
    Heads, MalformedHeadTest,
    ::testing::Values("\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
                      "G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",  // no Host
                      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                      "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",  // folded
                      "GET / HTTP/1.1\nHost: h\n\r\n\r\n",                // bare line feeds
                      "GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
                      "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", with("Content-Length: -1\r\n"),
                      with("Content-Length: 1, 2\r\n"), with("Content-Length: 0x10\r\n"),
                      with("Content-Length: 99999999999999999999999\r\n"),
                      with("Content-Length: 5\r\nContent-Length: 6\r\n"), with("Content-Length : 5\r\n"),
                      with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), with(std::string("X: a\0b\r\n", 8)),
                      with("NoColon\r\n"), with(": empty\r\n")));

TEST(ReplyTextTest, CarriesLengthAndSafetyHeaders) {
  const std::string text = reply_text(json_reply({{"a", 1}}), true);
  EXPECT_THAT(text, ::testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(text, ::testing::EndsWith("\r\n\r\n{\"a\":1}\n"));
}

}  // namespace
}  // namespace cutd
