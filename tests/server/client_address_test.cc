#include "server/client_address.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

Request asked(const std::string& peer, const std::string& forwarded) {
  Request request;
  request.peer = peer;
  if (!forwarded.empty()) request.headers["x-forwarded-for"] = forwarded;
  return request;
}

TEST(ClientAddressTest, IsThePeersWithoutAProxy) {
  EXPECT_EQ(client_address(asked("127.0.0.1", "203.0.113.9"), false), "127.0.0.1");
  EXPECT_EQ(client_address(asked("203.0.113.1", "203.0.113.9"), false), "203.0.113.1");
}

TEST(ClientAddressTest, IsWhatTheProxyOnLoopbackAppended) {
  EXPECT_EQ(client_address(asked("127.0.0.1", "203.0.113.9"), true), "203.0.113.9");
  EXPECT_EQ(client_address(asked("127.0.0.1", "10.9.9.9, 203.0.113.9 "), true), "203.0.113.9");
  EXPECT_EQ(client_address(asked("::1", "2001:db8::7"), true), "2001:db8::7");
  EXPECT_EQ(client_address(asked("::ffff:127.0.0.1", "203.0.113.9"), true), "203.0.113.9");
}

TEST(ClientAddressTest, NobodyButTheProxySaysWhoTheyAre) {
  EXPECT_EQ(client_address(asked("203.0.113.1", "203.0.113.9"), true), "203.0.113.1");
  EXPECT_EQ(client_address(asked("2001:db8::1", "203.0.113.9"), true), "2001:db8::1");
}

TEST(ClientAddressTest, WhatIsNoAddressIsNotTaken) {
  for (const std::string& text : {std::string("unknown"), std::string(" "), std::string("203.0.113.9,"),
                                  std::string("203.0.113.9:80"), std::string(8000, '1')}) {
    EXPECT_EQ(client_address(asked("127.0.0.1", text), true), "127.0.0.1") << text;
  }
}

}  // namespace
}  // namespace cutd
