#include "cutd/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "cutd/daemon.h"
#include "server/http_server.h"
#include "server/routes.h"
#include "store/instructions.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

ErrorCode code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

class ApiClientTest : public ::testing::Test {
 protected:
  void make_store() {
    Store store(folder_.path(), clock_, logger_);
    const std::vector<NewInstruction> rows = {{"Name a fruit.", ""}, {"Name a river.", ""}};
    store.write([&](Writer& writer) { import_instructions(writer, rows, Split::kTrain, "test"); });
  }

  const TemporaryDirectory folder_;
  ManualClock clock_;
  NullLogger logger_;
};

TEST_F(ApiClientTest, ReadsTheStoreWhenNoDaemonServesIt) {
  make_store();
  ApiClient api(folder_.path());
  EXPECT_FALSE(api.has_daemon());
  EXPECT_EQ(api.get("/api/v1/instructions").at("counts").at("train"), 2);
  EXPECT_EQ(api.get("/api/v1/runs").at("runs"), Json::array());
}

TEST_F(ApiClientTest, ReadsBesideADaemonThatDoesNotAnswerYet) {
  make_store();
  const Store held(folder_.path(), clock_, logger_);
  EXPECT_EQ(ApiClient(folder_.path()).get("/api/v1/instructions").at("counts").at("train"), 2);
}

TEST_F(ApiClientTest, WhatIsMissingInTheStoreIsNotFound) {
  make_store();
  std::string message;
  EXPECT_EQ(code_of([&] { ApiClient(folder_.path()).get("/api/v1/runs/7"); }, &message), ErrorCode::kNotFound);
  EXPECT_THAT(message, HasSubstr("there is no run 7"));
}

TEST_F(ApiClientTest, WithoutADaemonNothingCanBeChangedOrWatched) {
  make_store();
  std::string message;
  ApiClient api(folder_.path());
  EXPECT_EQ(code_of([&] { api.post("/api/v1/runs/1/pause", Json::object()); }, &message), ErrorCode::kUnavailable);
  EXPECT_THAT(message, HasSubstr("cutd serve --data-dir " + folder_.path().string()));
  EXPECT_EQ(code_of([&] { api.get("/api/v1/progress"); }, &message), ErrorCode::kUnavailable);
  EXPECT_THAT(message, HasSubstr("cutd serve"));
}

TEST_F(ApiClientTest, AFolderWithoutAStoreIsNotFound) {
  EXPECT_EQ(code_of([&] { ApiClient(folder_.path()).get("/api/v1/runs"); }), ErrorCode::kNotFound);
}

TEST_F(ApiClientTest, PrefersTheDaemonAndBringsItsErrorsBack) {
  Router router;
  router.add("GET", "/api/v1/runs", Access::kPublic, [](const Request&) { return json_reply({{"runs", {1, 2, 3}}}); });
  router.add("POST", "/api/v1/runs/{id}/pause", Access::kPublic,
             [](const Request&) -> Reply { throw Error(ErrorCode::kConflict, "run 1 is paused"); });
  HttpServer server([&](const Request& request) { return router.handle(request, logger_); }, {}, logger_);
  server.listen_unix(socket_path(folder_.path()));
  std::thread thread([&] { server.run(); });
  ApiClient api(folder_.path());
  EXPECT_TRUE(api.has_daemon());
  EXPECT_EQ(api.get("/api/v1/runs").at("runs").size(), 3U);
  std::string message;
  EXPECT_EQ(code_of([&] { api.post("/api/v1/runs/1/pause", Json::object()); }, &message), ErrorCode::kConflict);
  EXPECT_EQ(message, "run 1 is paused");
  server.stop();
  thread.join();
}

TEST(PercentEncodedTest, KeepsPlainCharactersAlone) {
  EXPECT_EQ(percent_encoded("a b/c?ü"), "a%20b%2Fc%3F%C3%BC");
  EXPECT_EQ(percent_encoded("AZaz09-_.~"), "AZaz09-_.~");
}

}  // namespace
}  // namespace cutd
