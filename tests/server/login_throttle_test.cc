#include "server/login_throttle.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

TEST(LoginThrottleTest, FiveWrongPasswordsAMinuteAreEnough) {
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(throttle.begin("10.0.0.1", "eve", 1000));
  EXPECT_FALSE(throttle.begin("10.0.0.1", "eve", 2000));
  EXPECT_TRUE(throttle.begin("10.0.0.1", "adam", 2000));
  EXPECT_TRUE(throttle.begin("10.0.0.2", "eve", 2000));  // who is at another place is not locked out
  EXPECT_TRUE(throttle.begin("10.0.0.1", "eve", 61'001));
}

TEST(LoginThrottleTest, AnAddressThatTriesManyNamesIsStopped) {
  LoginThrottle throttle;
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(throttle.begin("10.0.0.1", "name" + std::to_string(i), 1000));
  EXPECT_FALSE(throttle.begin("10.0.0.1", "another", 1000));
  EXPECT_FALSE(throttle.begin("10.0.0.1", "", 1000));
  EXPECT_TRUE(throttle.begin("10.0.0.2", "another", 1000));
}

TEST(LoginThrottleTest, ARightPasswordCostsNothing) {
  LoginThrottle throttle;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(throttle.begin("10.0.0.1", "eve", 1000));
    throttle.take_back("10.0.0.1", "eve");
  }
}

TEST(LoginThrottleTest, WhatIsRefusedDoesNotProlongTheWait) {
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) throttle.begin("10.0.0.1", "eve", 1000);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(throttle.begin("10.0.0.1", "eve", 50'000));
  EXPECT_TRUE(throttle.begin("10.0.0.1", "eve", 61'001));
}

}  // namespace
}  // namespace cutd
