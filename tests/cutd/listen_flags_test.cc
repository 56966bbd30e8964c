#include "cutd/listen_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace cutd {
namespace {

ListenOptions at(const std::string& address) {
  ListenOptions options;
  options.address = address;
  return options;
}

TEST(ListenOptionsTest, BeyondLoopbackNeedsTheWordForIt) {
  check_listen_options(ListenOptions());
  check_listen_options(at("[::1]:0"));
  check_listen_options(at(""));
  ListenOptions wide = at("0.0.0.0:8080");
  EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { check_listen_options(wide); }), ::testing::HasSubstr("reverse proxy"));
  wide.beyond_loopback = true;
  check_listen_options(wide);
}

TEST(ListenOptionsTest, NonsenseIsRefused) {
  error_of(ErrorCode::kUsage, [] { check_listen_options(at("8080")); });
  ListenOptions proxy;
  proxy.public_url = "judge.example.org";
  error_of(ErrorCode::kUsage, [&] { check_listen_options(proxy); });
}

TEST(ListenFlagsTest, NoneMeansTheUnixSocketAlone) {
  ListenFlags flags;
  flags.given.address = "none";
  EXPECT_EQ(flags.options().address, "");
  EXPECT_TRUE(ListenFlags().options().may_be_taken);
}

}  // namespace
}  // namespace cutd
