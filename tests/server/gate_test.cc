#include "server/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "server/change_once.h"
#include "server/people_routes.h"
#include "server/secrets.h"
#include "store/people.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

using Headers = std::map<std::string, std::string>;

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    router_.add("GET", "/api/v1/rounds", Access::kViewer, [](const Request&) { return json_reply("rounds"); });
    router_.add("POST", "/api/v1/things", Access::kOperator, [this](const Request& request) {
      ++made_;
      if (request.body.find("fail") != std::string::npos) throw Error(ErrorCode::kConflict, "not now");
      return json_reply({{"made", made_.load()}}, 201);
    });
    router_.add_once("POST", "/api/v1/once", Access::kOperator, [this](const Request& request) {
      const Reply reply = change_once(store_, request, [this](Writer&) {
        return json_reply({{"made", ++made_}}, 201);
      });
      if (made_ == 1) throw Error(ErrorCode::kInternal, "killed before it could answer");
      return reply;
    });
    router_.add("POST", "/api/v1/slow", Access::kOperator, [this](const Request&) {
      ++made_;
      while (!go_on_) std::this_thread::yield();
      return json_reply({{"made", made_.load()}}, 201);
    });
    add_people_routes(router_, {store_, clock_, passwords_, throttle_, false});
  }
  UserId add(const std::string& name, Role role) {
    const std::string hash = passwords_.hash("correct horse");
    return store_.write([&](Writer& writer) { return add_user(writer, {name, role, hash, {}}); });
  }
  std::string token(UserId user) {
    const std::string secret = random_token();
    store_.write([&](Writer& writer) { add_token(writer, user, "t", secret_hash(secret), std::nullopt); });
    return secret;
  }
  std::string cookie(UserId user) {
    const std::string secret = random_secret();
    store_.write([&](Writer& writer) { add_session(writer, user, secret_hash(secret)); });
    return "other=1; cutd_session=" + secret;
  }
  Reply ask(const std::string& method, const std::string& path, Headers headers = {}, const std::string& body = "") {
    return ask(gate_, method, path, std::move(headers), body);
  }
  Reply ask(Gate& gate, const std::string& method, const std::string& path, Headers headers, const std::string& body) {
    Request request;
    request.method = method;
    request.path = path;
    request.peer = "127.0.0.1";
    request.headers = std::move(headers);
    request.headers.emplace("host", "127.0.0.1:8080");
    if (!body.empty()) request.headers.emplace("content-type", "application/json");
    request.body = body;
    return gate.handle(std::move(request));
  }
  Reply sign_in(const std::string& body) { return ask("POST", "/api/v1/session", {}, body); }

  const TemporaryDirectory folder_;
  ManualClock clock_;
  NullLogger logger_;
  Store store_{folder_.path() / "data", clock_, logger_};
  Passwords passwords_{PasswordCost{1, 8192}};
  LoginThrottle throttle_;
  Router router_;
  std::atomic<int> made_{0};
  std::atomic<bool> go_on_{false};
  Gate gate_{router_, store_, clock_, {}, logger_};
};

const Headers kSame = {{"sec-fetch-site", "same-origin"}, {"idempotency-key", "0123456789"}};

Headers with(Headers headers, const std::string& name, const std::string& value) {
  headers[name] = value;
  return headers;
}

TEST_F(GateTest, TheUnixSocketIsOperator) {
  Request request;
  request.method = "POST";
  request.path = "/api/v1/things";
  request.local = true;
  EXPECT_EQ(gate_.handle(request).status, 201);
}

TEST_F(GateTest, WithoutProofNothingIsAnswered) {
  EXPECT_EQ(ask("GET", "/api/v1/rounds").status, 401);
  EXPECT_EQ(ask("POST", "/api/v1/things").status, 401);
  EXPECT_EQ(ask("GET", "/no/such/path").status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/rounds", {{"authorization", "Bearer cutd_made_up"}}).status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/rounds", {{"authorization", "Basic ZXZlOng="}}).status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/rounds", {{"cookie", "cutd_session=0123"}}).status, 401);
  EXPECT_EQ(made_, 0);
}

TEST_F(GateTest, ATokenActsWithItsAccountsRole) {
  const Headers viewer = {{"authorization", "Bearer " + token(add("v", Role::kViewer))}};
  EXPECT_EQ(ask("GET", "/api/v1/rounds", viewer).status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/things", viewer).status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/things", {{"authorization", "Bearer " + token(add("o", Role::kOperator))}}).status,
            201);
}

TEST_F(GateTest, AChangeByCookieNeedsSameOriginAndKey) {
  const Headers cookie = {{"cookie", GateTest::cookie(add("o", Role::kOperator))}};
  const auto change = [&](const Headers& more) {
    Headers all = cookie;
    all.insert(more.begin(), more.end());
    return ask("POST", "/api/v1/things", all).status;
  };
  EXPECT_EQ(change({}), 403);
  EXPECT_EQ(change({{"idempotency-key", "0123456789"}}), 403);
  EXPECT_EQ(change({{"sec-fetch-site", "same-origin"}}), 403);
  EXPECT_EQ(change({{"sec-fetch-site", "cross-site"}, {"idempotency-key", "0123456789"}}), 403);
  EXPECT_EQ(change({{"sec-fetch-site", "same-site"}, {"idempotency-key", "0123456789"}}), 403);
  EXPECT_EQ(change({{"origin", "http://evil.example"}, {"idempotency-key", "0123456789"}}), 403);
  EXPECT_EQ(change({{"origin", "null"}, {"idempotency-key", "0123456789"}}), 403);
  EXPECT_EQ(made_, 0);
  EXPECT_EQ(change({{"origin", "http://127.0.0.1:8080"}, {"idempotency-key", "0123456789"}}), 201);
  EXPECT_EQ(change({{"sec-fetch-site", "same-origin"}, {"idempotency-key", "9876543210"}}), 201);
}

// It is the gate that refuses them: what the tests above forge would be done without it.
TEST_F(GateTest, WithoutTheGateAForgedChangeWouldBeDone) {
  Request request;
  request.method = "POST";
  request.path = "/api/v1/things";
  request.headers = {{"host", "evil.example"}, {"origin", "http://evil.example"}, {"sec-fetch-site", "cross-site"}};
  request.principal = Principal{Role::kOperator, add("o", Role::kOperator), "o", 0, true};
  EXPECT_EQ(router_.handle(request, logger_).status, 201);
  EXPECT_EQ(made_, 1);
}

TEST_F(GateTest, AReboundNameIsNotServed) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))}};
  EXPECT_EQ(ask("GET", "/api/v1/rounds", with(headers, "host", "evil.example:8080")).status, 421);
  EXPECT_EQ(ask("GET", "/api/v1/rounds", with(headers, "host", "localhost:8080")).status, 200);
}

TEST_F(GateTest, AnotherSitesPageReadsNothing) {
  const Headers headers = {{"cookie", cookie(add("o", Role::kOperator))}, {"sec-fetch-site", "cross-site"}};
  EXPECT_EQ(ask("GET", "/api/v1/rounds", headers).status, 403);
}

TEST_F(GateTest, ABodyMustBeJson) {
  const Headers form = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                        {"content-type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(ask("POST", "/api/v1/things", form, "a=b").status, 415);
  EXPECT_EQ(made_, 0);
}

TEST_F(GateTest, ARepeatIsAnsweredAndNotDoneAgain) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                           {"idempotency-key", "one-intention"}};
  const Reply first = ask("POST", "/api/v1/things", headers, "{\"a\":1}");
  const Reply again = ask("POST", "/api/v1/things", headers, "{\"a\":1}");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_THAT(again.headers, Contains(Pair("Idempotent-Replayed", "true")));
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(ask("POST", "/api/v1/things", headers, "{\"a\":2}").status, 409);
  EXPECT_EQ(ask("POST", "/api/v1/things", with(headers, "idempotency-key", "another-one"), "{\"a\":1}").status, 201);
  EXPECT_EQ(ask("POST", "/api/v1/things", with(headers, "idempotency-key", "short"), "{}").status, 400);
}

TEST_F(GateTest, KeysOfTwoPeopleAreTwoKeys) {
  for (const char* name : {"o1", "o2"}) {
    const Headers headers = {{"authorization", "Bearer " + token(add(name, Role::kOperator))},
                             {"idempotency-key", "the-same-key"}};
    EXPECT_EQ(ask("POST", "/api/v1/things", headers, "{}").status, 201);
  }
  EXPECT_EQ(made_, 2);
}

TEST_F(GateTest, WhatFailedMayBeTriedAgainUnderItsKey) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                           {"idempotency-key", "will-be-retried"}};
  EXPECT_EQ(ask("POST", "/api/v1/things", headers, "{\"fail\":1}").status, 409);
  EXPECT_EQ(ask("POST", "/api/v1/things", headers, "{\"fail\":1}").status, 409);
  EXPECT_EQ(made_, 2);
}

TEST_F(GateTest, HundredParallelRepeatsAreOneChange) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                           {"idempotency-key", "hundred-at-once"}};
  std::vector<std::thread> threads;
  std::vector<std::string> bodies(100);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    threads.emplace_back([&, i] {
      Reply reply = ask("POST", "/api/v1/things", headers, "{}");
      while (reply.status == 409) reply = ask("POST", "/api/v1/things", headers, "{}");  // at work still
      bodies[i] = reply.body;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made_, 1);
  EXPECT_THAT(bodies, ::testing::Each(bodies.front()));
}

TEST_F(GateTest, WhoRepeatsWhatIsAtWorkIsSentAwayAtOnce) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                           {"idempotency-key", "a-slow-change"}};
  std::thread first([&] { ask("POST", "/api/v1/slow", headers, "{}"); });
  while (made_ == 0) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  const Reply repeat = ask("POST", "/api/v1/slow", headers, "{}");
  const auto took = std::chrono::steady_clock::now() - begin;
  go_on_ = true;
  first.join();
  EXPECT_EQ(repeat.status, 409);
  EXPECT_THAT(repeat.headers, Contains(Pair("Retry-After", "1")));
  EXPECT_LT(took, std::chrono::seconds(2));
  EXPECT_EQ(ask("POST", "/api/v1/slow", headers, "{}").status, 201);
  EXPECT_EQ(made_, 1);
}

// Another gate on the same store is what a daemon is after the one at work was killed.
TEST_F(GateTest, WhatADeadDaemonWasAtIsNotDoneAgain) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                           {"idempotency-key", "lost-on-the-way"}};
  std::thread first([&] { ask("POST", "/api/v1/slow", headers, "{}"); });
  while (made_ == 0) std::this_thread::yield();
  Gate reborn(router_, store_, clock_, {}, logger_);
  const Reply repeat = ask(reborn, "POST", "/api/v1/slow", headers, "{}");
  go_on_ = true;
  first.join();
  EXPECT_EQ(repeat.status, 409);
  EXPECT_THAT(repeat.body, HasSubstr("the outcome is unknown"));
  EXPECT_THAT(repeat.headers, Not(Contains(Pair("Retry-After", "1"))));
  EXPECT_EQ(made_, 1);
}

TEST_F(GateTest, AChangeAndItsReplyAreOneTransaction) {
  const Headers headers = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                           {"idempotency-key", "durable-together"}};
  EXPECT_EQ(ask("POST", "/api/v1/once", headers, "{}").status, 500);
  const Reply repeat = ask("POST", "/api/v1/once", headers, "{}");
  EXPECT_EQ(repeat.status, 201);
  EXPECT_EQ(Json::parse(repeat.body).at("made"), 1);
  EXPECT_EQ(made_, 1);
}

TEST_F(GateTest, APasswordOpensASession) {
  const UserId eve = add("eve", Role::kAnnotator);
  const Reply reply = sign_in("{\"name\":\"eve\",\"password\":\"correct horse\"}");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(Json::parse(reply.body).at("user"), eve.value);
  std::string set;
  for (const auto& [name, value] : reply.headers) set = name == "Set-Cookie" ? value : set;
  EXPECT_THAT(set, HasSubstr("HttpOnly; SameSite=Strict"));
  const std::string pair = set.substr(0, set.find(';'));
  EXPECT_EQ(ask("GET", "/api/v1/session", {{"cookie", pair}}).status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/session", with(kSame, "cookie", pair)).status, 204);
  EXPECT_EQ(ask("GET", "/api/v1/session", {{"cookie", pair}}).status, 401);
}

TEST_F(GateTest, WrongLoginsLookAlikeAndAreLimited) {
  add("eve", Role::kAnnotator);
  const Reply unknown = sign_in("{\"name\":\"nobody\",\"password\":\"wrong wrong\"}");
  const Reply wrong = sign_in("{\"name\":\"eve\",\"password\":\"wrong wrong\"}");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(unknown.body, wrong.body);
  for (int i = 0; i < 4; ++i) sign_in("{\"name\":\"eve\",\"password\":\"wrong wrong\"}");
  EXPECT_EQ(sign_in("{\"name\":\"eve\",\"password\":\"correct horse\"}").status, 429);
  clock_.advance_ms(61'000);
  EXPECT_EQ(sign_in("{\"name\":\"eve\",\"password\":\"correct horse\"}").status, 200);
}

// All are on their way before the first is found wrong.
TEST_F(GateTest, GuessesInParallelDoNotPassTheLimit) {
  std::vector<std::thread> threads;
  std::atomic<int> looked_at{0};
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      int status = 503;
      while (status == 503) status = sign_in("{\"name\":\"eve\",\"password\":\"wrong wrong\"}").status;
      looked_at += status == 401 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(looked_at, 5);
}

TEST_F(GateTest, WhoFindsAllTurnsAtThePasswordsTakenIsToldAtOnceWhenToComeAgain) {
  add("eve", Role::kAnnotator);
  const std::string right = "{\"name\":\"eve\",\"password\":\"correct horse\"}";
  {
    const Passwords::Turn first(passwords_);
    const Passwords::Turn second(passwords_);
    for (int i = 0; i < 10; ++i) {
      const Reply reply = sign_in(right);
      EXPECT_EQ(reply.status, 503);
      EXPECT_THAT(reply.headers, Contains(Pair("Retry-After", "1")));
    }
    EXPECT_EQ(sign_in("{\"link\":\"0123\"}").status, 401);  // needs no turn
  }
  EXPECT_EQ(sign_in(right).status, 200);  // none of the ten was held against her
}

TEST_F(GateTest, WhatNoAccountCanHaveIsWrongWithoutALook) {
  const Passwords::Turn first(passwords_);
  const Passwords::Turn second(passwords_);
  const std::string long_text(100'000, 'x');
  const Reply name = sign_in("{\"name\":\"" + long_text + "\",\"password\":\"wrong wrong\"}");
  EXPECT_EQ(name.status, 401);
  EXPECT_EQ(sign_in("{\"name\":\"eve\",\"password\":\"" + long_text + "\"}").status, 401);
  EXPECT_EQ(sign_in("{\"name\":\"\",\"password\":\"wrong wrong\"}").status, 401);
}

// Within the limit of a body they would take a second of comparisons, and anybody may send them.
TEST_F(GateTest, ABodyOfManyKeysIsRefusedQuickly) {
  std::string body = "{";
  for (int i = 0; body.size() < 250'000; ++i) body += "\"" + std::to_string(i) + "\":0,";
  body.back() = '}';
  const auto begin = std::chrono::steady_clock::now();
  const Reply reply = sign_in(body);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("more than 1024 keys"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
}

TEST_F(GateTest, LoneSurrogatesAreNoText) {
  for (const char* text : {"\\ud800", "\\udc00", "\\ud800\\ud800", "a\\udfffb", "\xed\xa0\x80"}) {
    EXPECT_EQ(sign_in("{\"name\":\"" + std::string(text) + "\",\"password\":\"wrong wrong\"}").status, 400) << text;
  }
}

TEST_F(GateTest, HeadIsRoutedAsGet) {
  const Headers viewer = {{"authorization", "Bearer " + token(add("v", Role::kViewer))}};
  EXPECT_EQ(ask("HEAD", "/api/v1/rounds", viewer).status, 200);
  EXPECT_EQ(ask("HEAD", "/api/v1/rounds").status, 401);
  EXPECT_EQ(ask("HEAD", "/api/v1/things", viewer).status, 405);
}

TEST_F(GateTest, ALinkOpensOneSession) {
  const UserId eve = add("eve", Role::kAnnotator);
  const Headers boss = {{"authorization", "Bearer " + token(add("o", Role::kOperator))}};
  const Reply made = ask("POST", "/api/v1/users/" + std::to_string(eve.value) + "/link", boss);
  ASSERT_EQ(made.status, 201);
  const auto path = Json::parse(made.body).at("path").get<std::string>();
  const std::string body = "{\"link\":\"" + path.substr(path.find('#') + 1) + "\"}";
  EXPECT_EQ(sign_in(body).status, 200);
  EXPECT_EQ(sign_in(body).status, 401);
}

TEST_F(GateTest, SecretsOfRepeatsAreKeptInMemoryAlone) {
  const UserId eve = add("eve", Role::kViewer);
  const Headers boss = {{"authorization", "Bearer " + token(add("o", Role::kOperator))},
                        {"idempotency-key", "make-a-token"}};
  const std::string path = "/api/v1/users/" + std::to_string(eve.value) + "/tokens";
  const Reply first = ask("POST", path, boss, "{\"name\":\"canary\"}");
  ASSERT_EQ(first.status, 201);
  EXPECT_EQ(ask("POST", path, boss, "{\"name\":\"canary\"}").body, first.body);
  const auto secret = Json::parse(first.body).at("token").get<std::string>();
  EXPECT_EQ(ask("GET", "/api/v1/session", {{"authorization", "Bearer " + secret}}).status, 200);
  for (const char* name : {"cutd.db", "cutd.db-wal"}) {
    std::ifstream file(folder_.path() / "data" / name, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(bytes.find(secret), std::string::npos) << name;
    EXPECT_THAT(bytes.find("correct horse"), std::string::npos) << name;
  }
  // What is no secret is found there: the search sees what it should.
  std::ifstream log(folder_.path() / "data" / "cutd.db-wal", std::ios::binary);
  EXPECT_NE(std::string((std::istreambuf_iterator<char>(log)), {}).find("canary"), std::string::npos);
}

TEST_F(GateTest, ARevokedAccountIsOutAtOnce) {
  const UserId eve = add("eve", Role::kViewer);
  const Headers hers = {{"authorization", "Bearer " + token(eve)}};
  const Headers cookie = {{"cookie", GateTest::cookie(eve)}};
  const Headers boss = {{"authorization", "Bearer " + token(add("o", Role::kOperator))}};
  EXPECT_EQ(ask("GET", "/api/v1/rounds", hers).status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/users/" + std::to_string(eve.value) + "/revoke", boss).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/rounds", hers).status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/rounds", cookie).status, 401);
  EXPECT_EQ(sign_in("{\"name\":\"eve\",\"password\":\"correct horse\"}").status, 401);
}

}  // namespace
}  // namespace cutd
