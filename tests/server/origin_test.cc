#include "server/origin.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace cutd {
namespace {

const std::optional<PublicOrigin> kNone;
const std::optional<PublicOrigin> kPublic = PublicOrigin{"https", "judge.example.org"};

Request asked(std::map<std::string, std::string> headers) {
  Request request;
  request.headers = std::move(headers);
  request.headers.emplace("host", "127.0.0.1:8080");
  return request;
}

TEST(OriginTest, OnlyNamesThatCannotBeBoundAnewAreOurs) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:80", "10.0.0.7:8080"}) {
    EXPECT_TRUE(is_our_host(host, kNone)) << host;
  }
  for (const char* host : {"", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
                           "judge.example.org", "[::1", "1.2.3"}) {
    EXPECT_FALSE(is_our_host(host, kNone)) << host;
  }
  EXPECT_TRUE(is_our_host("Judge.Example.org", kPublic));
  EXPECT_FALSE(is_our_host("x.judge.example.org", kPublic));
}

TEST(OriginTest, AnotherSitesPageIsSeen) {
  EXPECT_TRUE(is_from_elsewhere(asked({{"sec-fetch-site", "cross-site"}}), kNone));
  EXPECT_TRUE(is_from_elsewhere(asked({{"sec-fetch-site", "same-site"}}), kNone));
  EXPECT_TRUE(is_from_elsewhere(asked({{"origin", "https://evil.example"}}), kNone));
  EXPECT_TRUE(is_from_elsewhere(asked({{"origin", "null"}}), kNone));
  EXPECT_TRUE(is_from_elsewhere(asked({{"origin", "http://127.0.0.1:9"}}), kNone));
  EXPECT_FALSE(is_from_elsewhere(asked({}), kNone));
  EXPECT_FALSE(is_from_elsewhere(asked({{"origin", "http://127.0.0.1:8080"}}), kNone));
  EXPECT_FALSE(is_from_elsewhere(asked({{"origin", "https://judge.example.org"}}), kPublic));
}

TEST(OriginTest, SameOriginNeedsProof) {
  EXPECT_FALSE(is_same_origin(asked({}), kNone));
  EXPECT_FALSE(is_same_origin(asked({{"sec-fetch-site", "none"}}), kNone));
  EXPECT_TRUE(is_same_origin(asked({{"sec-fetch-site", "same-origin"}}), kNone));
  EXPECT_TRUE(is_same_origin(asked({{"origin", "http://127.0.0.1:8080"}}), kNone));
  EXPECT_FALSE(is_same_origin(asked({{"sec-fetch-site", "same-origin"}, {"origin", "http://evil.example"}}), kNone));
}

TEST(OriginTest, APublicUrlIsASchemeAndAHost) {
  EXPECT_EQ(parse_public_url("https://Judge.example.org/").text(), "https://judge.example.org");
  EXPECT_EQ(parse_public_url("https://judge.example.org:443").host, "judge.example.org");
  EXPECT_EQ(parse_public_url("http://localhost:81").host, "localhost:81");
  for (const char* url :
       {"", "judge.example.org", "ftp://x", "https://", "https://a/b", "https://u@a", "https://a?b"}) {
    error_of(ErrorCode::kUsage, [&] { parse_public_url(url); });
  }
}

}  // namespace
}  // namespace cutd
