#include "core/hash.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace cutd {
namespace {

TEST(HashTest, MatchesThePublishedSha256Vectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashTest, AnInstructionAndItsInputAreNotConfusedWithTheirConcatenation) {
  EXPECT_NE(instruction_hash("ab", "c"), instruction_hash("a", "bc"));
}

TEST(RandomTest, PhiloxMatchesThePublishedVectors) {
  // Random123's kat_vectors, philox4x32 10.
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomTest, UniformValuesLieInTheHalfOpenUnitInterval) {
  for (std::uint64_t step = 0; step < 10'000; ++step) {
    const float value = philox_uniform(7, step);
    ASSERT_GE(value, 0.0F);
    ASSERT_LT(value, 1.0F);
  }
}

}  // namespace
}  // namespace cutd
