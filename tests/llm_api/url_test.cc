#include "llm_api/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(const std::string& url, const UrlRules& rules = {},
                    const std::vector<std::string>& allow_private = {}) {
  try {
    checked_url(url, rules, AddressGuard(allow_private));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "";
}

TEST(UrlTest, TakesHttps) {
  EXPECT_EQ(checked_url("https://api.openai.com/v1/chat", {}, AddressGuard({})), "https://api.openai.com/v1/chat");
  EXPECT_EQ(url_origin("https://api.openai.com/v1?key=secret"), "https://api.openai.com:443");
}

TEST(UrlTest, TakesHttpOnlyWhereAllowed) {
  EXPECT_THAT(refusal("http://api.example.com/"), HasSubstr("allow_http"));
  EXPECT_EQ(refusal("http://api.example.com/", {true}), "");
}

TEST(UrlTest, RefusesOtherSchemes) {
  for (const char* url : {"file:///etc/passwd", "ftp://a.example/", "gopher://a.example/", "unix:///run/x",
                          "api.openai.com/v1", "//a.example", ""}) {
    EXPECT_NE(refusal(url, {true}), "") << url;
  }
}

TEST(UrlTest, RefusesUserInformationWithoutRepeatingIt) {
  EXPECT_THAT(refusal("https://user:hunter2@api.openai.com/v1"), HasSubstr("user name or password"));
  EXPECT_THAT(refusal("https://api.openai.com@169.254.169.254/v1"), HasSubstr("user name or password"));
  EXPECT_THAT(refusal("https://user:hunter2@api.openai.com/v1"), Not(HasSubstr("hunter2")));
}

TEST(UrlTest, SeesThroughSpellingsOfPrivateAddresses) {
  for (const char* host :
       {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "169.254.169.254", "2852039166",
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "10.1.2.3", "192.168.0.1", "0.0.0.0"}) {
    EXPECT_THAT(refusal("https://" + std::string(host) + "/v1"), HasSubstr("allow_private")) << host;
  }
  EXPECT_EQ(refusal("https://0x7f.1/v1", {}, {"127.0.0.1"}), "");
}

TEST(UrlTest, RefusesFragmentsZonesAndNul) {
  EXPECT_NE(refusal("https://a.example/#x"), "");
  EXPECT_NE(refusal("https://[fe80::1%25eth0]/", {}, {"fe80::/10"}), "");
  EXPECT_NE(refusal(std::string("https://a.example/\0.b.example", 29)), "");
  EXPECT_NE(refusal("https://a.example/v1\r\nX-Injected: 1"), "");
}

}  // namespace
}  // namespace cutd
