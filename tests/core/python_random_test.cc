#include "core/python_random.h"

#include <gtest/gtest.h>

#include <string>

namespace cutd {
namespace {

// First values of CPython's random.Random(seed).random(), as the golden data's README records them.
TEST(PythonRandomTest, DrawsWhatCPythonDrawsFromAnInteger) {
  EXPECT_DOUBLE_EQ(PythonRandom(std::uint64_t{0}).next_double(), 0.8444218515250481);
  EXPECT_DOUBLE_EQ(PythonRandom(std::uint64_t{42}).next_double(), 0.6394267984578837);
  EXPECT_DOUBLE_EQ(PythonRandom(std::uint64_t{1099511627783}).next_double(), 0.6137037779936511);
}

TEST(PythonRandomTest, DrawsWhatCPythonDrawsFromAText) {
  EXPECT_DOUBLE_EQ(PythonRandom("").next_double(), 0.9602256525641875);
  EXPECT_DOUBLE_EQ(PythonRandom("a").next_double(), 0.2720295377534757);
  EXPECT_DOUBLE_EQ(PythonRandom("Zürich 🙂").next_double(), 0.6176797756814356);
}

TEST(PythonRandomTest, SamplesWithoutRepetition) {
  const std::vector<std::size_t> population = {3, 1, 4, 15, 9, 2, 6};
  const std::vector<std::size_t> drawn = PythonRandom(std::uint64_t{42}).sample(population, 3);
  EXPECT_EQ(drawn, (std::vector<std::size_t>{2, 3, 6}));  // random.Random(42).sample([3, 1, 4, 15, 9, 2, 6], 3)
}

}  // namespace
}  // namespace cutd
