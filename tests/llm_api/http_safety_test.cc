// Where bytes may go: redirects, private addresses, proxies, names that lie (reliability P21, P22).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "llm_api/http_support.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FakeReply plain(const FakeRequest&) { return json_text("{}"); }

// An environment variable for as long as the object lives.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~ScopedVariable() { ::unsetenv(name_.c_str()); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const std::string name_;
};

TEST(HttpSafetyTest, FollowsNoRedirect) {
  FakeLlmServer other(plain);
  for (const int status : {301, 302, 303, 307, 308}) {
    for (const std::string& target :
         {other.url("/v1"), "https://127.0.0.1:" + std::to_string(other.port()), std::string("file:///etc/passwd"),
          std::string("ftp://127.0.0.1:") + std::to_string(other.port()),
          std::string("gopher://127.0.0.1:") + std::to_string(other.port()), std::string("/elsewhere")}) {
      FakeLlmServer server([&](const FakeRequest&) {
        FakeReply reply;
        reply.status = status;
        reply.headers = {{"Location", target}};
        return reply;
      });
      EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url()))), "reply " + std::to_string(status)) << target;
      EXPECT_EQ(server.counts().hits, 1);
    }
  }
  EXPECT_EQ(other.counts().connections, 0);
}

TEST(HttpSafetyTest, RefusesPrivateAddressesBeforeItConnects) {
  FakeLlmServer server(plain);
  HttpClientOptions options = local_http();
  options.allow_private.clear();
  const std::string port = std::to_string(server.port());
  for (const char* host : {"127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"}) {
    const auto outcome = exchange(options, post_to("http://" + std::string(host) + ":" + port));
    EXPECT_EQ(in_short(outcome), "refused, not sent") << host;
    EXPECT_THAT(std::get<HttpFailure>(outcome).message, HasSubstr("allow_private")) << host;
  }
  EXPECT_EQ(server.counts().connections, 0);
}

// DNS rebinding: the name passes any look at the URL, and its address is what counts.
TEST(HttpSafetyTest, ChecksTheAddressThatANameLeadsTo) {
  FakeLlmServer server(plain);
  HttpClientOptions options = local_http();
  const std::string port = std::to_string(server.port());
  options.resolve = {"judge.example.com:" + port + ":127.0.0.1"};
  EXPECT_EQ(in_short(exchange(options, post_to("http://judge.example.com:" + port))), "reply 200");
  options.allow_private = {"10.0.0.0/8"};
  EXPECT_EQ(in_short(exchange(options, post_to("http://judge.example.com:" + port))), "refused, not sent");
  EXPECT_EQ(server.counts().connections, 1);
}

TEST(HttpSafetyTest, IgnoresProxiesOfTheEnvironment) {
  FakeLlmServer server(plain);
  FakeLlmServer proxy(plain);
  std::vector<std::unique_ptr<ScopedVariable>> variables;
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    variables.push_back(std::make_unique<ScopedVariable>(name, proxy.url()));
  }
  EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url()))), "reply 200");
  EXPECT_EQ(server.counts().hits, 1);
  EXPECT_EQ(proxy.counts().connections, 0);
  HttpClientOptions options = local_http();
  options.proxy = proxy.url();
  exchange(options, post_to(server.url()));
  EXPECT_EQ(proxy.counts().hits, 1);
  EXPECT_EQ(server.counts().hits, 1);
}

TEST(HttpSafetyTest, TellsWhatNeverLeft) {
  std::string closed;
  {
    FakeLlmServer server(plain);
    closed = server.url();
  }
  EXPECT_EQ(in_short(exchange(local_http(), post_to(closed))), "connect, not sent");
  EXPECT_EQ(in_short(exchange(local_http(), post_to("http://judge.invalid/v1"))), "resolve, not sent");
  FakeLlmServer server(plain);
  EXPECT_EQ(in_short(exchange(local_http(), post_to("https://127.0.0.1:" + std::to_string(server.port())))),
            "connect, not sent");
  EXPECT_EQ(server.counts().hits, 0);
}

TEST(HttpSafetyTest, NeedsLeaveForPlainHttp) {
  FakeLlmServer server(plain);
  HttpClientOptions options = local_http();
  options.allow_http = false;
  EXPECT_EQ(in_short(exchange(options, post_to(server.url()))), "refused, not sent");
  EXPECT_EQ(server.counts().connections, 0);
}

TEST(HttpSafetyTest, KeepsKeysAndQueriesOutOfMessages) {
  std::string closed;
  {
    FakeLlmServer server(plain);
    closed = server.url("/v1?key=canary-key");
  }
  const auto outcome = exchange(local_http(), post_to(closed));
  EXPECT_THAT(std::get<HttpFailure>(outcome).message, Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace cutd
