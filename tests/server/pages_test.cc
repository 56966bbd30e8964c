#include "server/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr EmbeddedFile kFiles[] = {{"index.html", "<!doctype html><title>cutd</title>"},
                                   {"icon.svg", "<svg/>"},
                                   {"assets/app-1a2b.js", "let page"},
                                   {"assets/app-1a2b.css", "body{}"}};

class PagesTest : public ::testing::Test {
 protected:
  PagesTest() { add_page_routes(router_, kFiles); }

  Reply get(const std::string& path, const std::string& known_tag = "") {
    Request request;
    request.method = "GET";
    request.path = path;
    if (!known_tag.empty()) request.headers["if-none-match"] = known_tag;
    return router_.handle(request, logger_);
  }
  static std::string header(const Reply& reply, const std::string& name) {
    const auto found =
        std::find_if(reply.headers.begin(), reply.headers.end(), [&](const auto& row) { return row.first == name; });
    return found == reply.headers.end() ? "" : found->second;
  }

  Router router_;
  NullLogger logger_;
};

TEST_F(PagesTest, AnswersEveryPagesAddressWithTheDocument) {
  for (const char* path :
       {"/", "/login", "/annotate", "/annotate/draft", "/runs/1", "/rounds/7", "/responses", "/review", "/start"}) {
    const Reply reply = get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.content_type, "text/html; charset=utf-8") << path;
    EXPECT_EQ(reply.body, kFiles[0].bytes) << path;
  }
}

TEST_F(PagesTest, GivesEachAssetItsType) {
  EXPECT_EQ(get("/assets/app-1a2b.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(get("/assets/app-1a2b.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(get("/icon.svg").content_type, "image/svg+xml");
  EXPECT_EQ(content_type_of("notes"), "application/octet-stream");
}

TEST_F(PagesTest, KnowsNoFileBeyondThoseCompiledIn) {
  for (const char* path : {"/assets/other.js", "/assets/..", "/assets/../index.html", "/index.html", "/annotate/a/b"}) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.principal = Principal{};
    EXPECT_EQ(router_.handle(request, logger_).status, 404) << path;
  }
}

TEST_F(PagesTest, KeepsAssetsForEverAndAsksForTheDocumentEachTime) {
  EXPECT_THAT(header(get("/assets/app-1a2b.js"), "Cache-Control"), HasSubstr("immutable"));
  EXPECT_EQ(header(get("/"), "Cache-Control"), "no-cache");
}

TEST_F(PagesTest, AnswersAKnownTagWithoutTheBytes) {
  const std::string tag = header(get("/"), "ETag");
  ASSERT_EQ(tag.size(), 34u);
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Reply reply = get("/", known);
    EXPECT_EQ(reply.status, 304) << known;
    EXPECT_EQ(reply.body, "");
    EXPECT_EQ(header(reply, "ETag"), tag);
  }
  EXPECT_EQ(get("/", header(get("/icon.svg"), "ETag")).status, 200);
}

TEST_F(PagesTest, ForbidsInlineCodeOutsideRequestsAndFraming) {
  for (const char* path : {"/", "/assets/app-1a2b.js"}) {
    const std::string policy = header(get(path), "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("script-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("base-uri 'none'; frame-ancestors 'none'; object-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(policy, Not(HasSubstr("http")));
  }
}

TEST_F(PagesTest, CannotBeMadeWithoutTheDocument) {
  Router router;
  EXPECT_THROW(add_page_routes(router, {}), Error);
}

TEST_F(PagesTest, HasTheRealPagesCompiledIn) {
  Router router;
  add_page_routes(router, embedded_server());
  Request request;
  request.method = "GET";
  request.path = "/";
  const Reply reply = router.handle(request, logger_);
  EXPECT_THAT(reply.body, HasSubstr("<script type=\"module\""));
  EXPECT_THAT(reply.body, Not(HasSubstr("<style")));
  EXPECT_THAT(reply.body, Not(HasSubstr("http")));
}

}  // namespace
}  // namespace cutd
