#include "server/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router_.add("GET", "/runs", [](const Request&) { return json_reply("list"); });
    router_.add("POST", "/runs", [](const Request&) { return json_reply("made", 201); });
    router_.add("GET", "/runs/{id}", [](const Request& request) { return json_reply(request.captures.at("id")); });
    router_.add("POST", "/runs/{id}/stop/{why}", [](const Request& request) {
      return json_reply(request.captures.at("id") + request.captures.at("why"));
    });
    router_.add("GET", "/broken", [](const Request&) -> Reply { throw std::runtime_error("secret detail"); });
    router_.add("GET", "/missing", [](const Request&) -> Reply { throw Error(ErrorCode::kNotFound, "no run 9"); });
  }
  Reply ask(const std::string& method, const std::string& path) {
    Request request;
    request.method = method;
    request.path = path;
    return router_.handle(request, logger_);
  }

  Router router_;
  NullLogger logger_;
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
  EXPECT_THAT(reply.headers, ::testing::Contains(::testing::Pair("Allow", "GET, POST")));
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

TEST_F(RouterTest, TheSameRouteTwiceIsABug) {
  EXPECT_THROW(router_.add("GET", "/runs", [](const Request&) { return Reply(); }), Error);
}

}  // namespace
}  // namespace cutd
