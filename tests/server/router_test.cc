#include "server/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router_.add("GET", "/runs", Access::kViewer, [](const Request&) { return json_reply("list"); });
    router_.add("POST", "/runs", Access::kViewer, [](const Request&) { return json_reply("made", 201); });
    router_.add("GET", "/runs/{id}", Access::kViewer,
                [](const Request& request) { return json_reply(request.captures.at("id")); });
    router_.add("POST", "/runs/{id}/stop/{why}", Access::kViewer, [](const Request& request) {
      return json_reply(request.captures.at("id") + request.captures.at("why"));
    });
    router_.add("GET", "/broken", Access::kViewer,
                [](const Request&) -> Reply { throw std::runtime_error("secret detail"); });
    router_.add("GET", "/missing", Access::kViewer,
                [](const Request&) -> Reply { throw Error(ErrorCode::kNotFound, "no run 9"); });
  }
  Reply ask(const std::string& method, const std::string& path) {
    Request request;
    request.method = method;
    request.path = path;
    request.principal = principal_;
    return router_.handle(request, logger_);
  }

  Router router_;
  NullLogger logger_;
  std::optional<Principal> principal_ = Principal{Role::kViewer, UserId{1}, "eve", 0, false};
};

TEST_F(RouterTest, FindsTheHandlerByMethodAndPath) {
  EXPECT_EQ(ask("GET", "/runs").body, "\"list\"\n");
  EXPECT_EQ(ask("POST", "/runs").status, 201);
  EXPECT_EQ(ask("GET", "/runs/7").body, "\"7\"\n");
  EXPECT_EQ(ask("POST", "/runs/7/stop/now").body, "\"7now\"\n");
}

TEST_F(RouterTest, UnknownPathsAre404) {
  for (const char* path : {"/", "/run", "/runs/", "/runs/7/", "/runs/7/stop", "//runs", "/runs//stop/x", ""}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(RouterTest, AnotherMethodIs405WithTheAllowedOnes) {
  const Reply reply = ask("DELETE", "/runs");
  EXPECT_EQ(reply.status, 405);
  EXPECT_THAT(reply.headers, ::testing::Contains(::testing::Pair("Allow", "GET, HEAD, POST")));
}

TEST_F(RouterTest, AnErrorBecomesItsStatus) {
  const Reply reply = ask("GET", "/missing");
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body, ::testing::HasSubstr("no run 9"));
}

TEST_F(RouterTest, AnUnexpectedFailureKeepsItsDetailToItself) {
  const Reply reply = ask("GET", "/broken");
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.body, ::testing::Not(::testing::HasSubstr("secret detail")));
}

TEST_F(RouterTest, WithoutAPrincipalEverythingButPublicRoutesIs401) {
  router_.add("GET", "/open", Access::kPublic, [](const Request&) { return json_reply("open"); });
  principal_.reset();
  EXPECT_EQ(ask("GET", "/open").status, 200);
  EXPECT_EQ(ask("POST", "/open").status, 405);
  for (const char* path : {"/runs", "/runs/7", "/no/such/path", ""}) {
    const Reply reply = ask("GET", path);
    EXPECT_EQ(reply.status, 401) << path;
    EXPECT_THAT(reply.headers, ::testing::Contains(::testing::Pair("WWW-Authenticate", "Bearer")));
  }
}

TEST_F(RouterTest, ARoleSeesOnlyWhatIsDeclaredForIt) {
  router_.add("GET", "/queue", Access::kAnnotator, [](const Request&) { return json_reply("queue"); });
  router_.add("GET", "/users", Access::kOperator, [](const Request&) { return json_reply("users"); });
  router_.add("GET", "/me", Access::kSignedIn, [](const Request&) { return json_reply("me"); });
  const auto statuses = [&](Role role) {
    principal_->role = role;
    return std::vector<int>{ask("GET", "/me").status, ask("GET", "/runs").status, ask("GET", "/queue").status,
                            ask("GET", "/users").status};
  };
  EXPECT_THAT(statuses(Role::kOperator), ::testing::ElementsAre(200, 200, 200, 200));
  EXPECT_THAT(statuses(Role::kAnnotator), ::testing::ElementsAre(200, 403, 200, 403));
  EXPECT_THAT(statuses(Role::kViewer), ::testing::ElementsAre(200, 200, 403, 403));
}

TEST_F(RouterTest, ALiteralPartWinsOverACapture) {
  router_.add("GET", "/runs/newest", Access::kViewer, [](const Request&) { return json_reply("newest"); });
  EXPECT_EQ(ask("GET", "/runs/newest").body, "\"newest\"\n");
  EXPECT_EQ(ask("GET", "/runs/8").body, "\"8\"\n");
}

TEST_F(RouterTest, TheSameRouteTwiceIsABug) {
  EXPECT_THROW(router_.add("GET", "/runs", Access::kViewer, [](const Request&) { return Reply(); }), Error);
}

}  // namespace
}  // namespace cutd
