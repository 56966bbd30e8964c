#include "engine/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

template <typename T>
T sent_and_received(const T& message) {
  std::string line = encode_rpc(message);
  EXPECT_EQ(line.back(), '\n');
  line.pop_back();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  return std::get<T>(parse_rpc(line));
}

TEST(RpcTest, RequestsComeBackAsTheyWere) {
  const auto request = sent_and_received(RpcRequest{7, "load", Json{{"model_dir", "a\nb"}}});
  EXPECT_EQ(request.id, 7);
  EXPECT_EQ(request.method, "load");
  EXPECT_EQ(request.params.at("model_dir"), "a\nb");
}

TEST(RpcTest, FailuresKeepTheirErrorCode) {
  const auto failure = sent_and_received(RpcFailure{3, ErrorCode::kBadInput, "config.json: no hidden_size"});
  EXPECT_EQ(failure.id, 3);
  EXPECT_EQ(failure.code, ErrorCode::kBadInput);
  EXPECT_EQ(failure.message, "config.json: no hidden_size");
}

TEST(RpcTest, AFailureWithoutIdIsRead) {
  EXPECT_FALSE(sent_and_received(RpcFailure{std::nullopt, ErrorCode::kBadInput, "?"}).id);
}

TEST(RpcTest, NotificationsHaveNoId) {
  EXPECT_EQ(sent_and_received(RpcNotification{"heartbeat", Json{{"phase", "idle"}}}).method, "heartbeat");
}

TEST(RpcTest, InvalidUtf8InAnErrorTextStillMakesAValidLine) {
  EXPECT_EQ(sent_and_received(RpcFailure{1, ErrorCode::kIo, "bad \xff byte"}).message, "bad \xEF\xBF\xBD byte");
}

class RpcRefusalTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RpcRefusalTest, RefusesALineThatIsNoMessage) {
  EXPECT_THROW(
      try { parse_rpc(GetParam()); } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kBadInput);
        throw;
      },
      Error);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, RpcRefusalTest,
    ::testing::Values("", "nonsense", "[]", "{}", R"({"jsonrpc":"1.0","id":1,"result":{}})", R"({"jsonrpc":"2.0"})",
                      R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":"2.0","id":"x","result":{}})",
                      R"({"jsonrpc":"2.0","id":1,"method":2})", R"({"jsonrpc":"2.0","id":1,"method":"m","params":[1]})",
                      R"({"jsonrpc":"2.0","id":1,"error":"text"})", R"({"jsonrpc":"2.0","id":1,"id":2,"result":{}})"));

}  // namespace
}  // namespace cutd
