#include "core/nearest_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NearestNamesTest, CountsEdits) {
  EXPECT_EQ(edit_distance("gpt-4o", "gpt-4o"), 0U);
  EXPECT_EQ(edit_distance("gpt4o", "gpt-4o"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

TEST(NearestNamesTest, PutsTheBestSpeltFirst) {
  EXPECT_THAT(nearest_names("gpt4o", {"o3", "gpt-4.1", "gpt-4o", "gpt-4o-mini"}, 2), ElementsAre("gpt-4o", "gpt-4.1"));
}

TEST(NearestNamesTest, PutsNamesThatHoldItBeforeThoseThatAreSpeltAlike) {
  EXPECT_THAT(nearest_names("llama-3-8b", {"llama-2-7b", "meta-llama/Llama-3-8B-Instruct"}, 5),
              ElementsAre("meta-llama/Llama-3-8B-Instruct", "llama-2-7b"));
}

TEST(NearestNamesTest, OfNoneThereIsNone) { EXPECT_THAT(nearest_names("x", {}, 5), IsEmpty()); }

}  // namespace
}  // namespace cutd
