#include "evaluation/agreement.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

// The worked examples of K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011).

TEST(AgreementTest, GivesTheBinaryExampleOfKrippendorff) {
  // Section A: Meg and Owen, ten articles; alpha = 0.095.
  const std::vector<AgreementUnit> units = {{0, 1}, {1, 1}, {0, 1}, {0, 0}, {0, 0},
                                            {0, 1}, {0, 0}, {0, 0}, {1, 0}, {0, 0}};
  EXPECT_NEAR(krippendorff_alpha(units).value(), 0.095, 0.0005);
}

TEST(AgreementTest, GivesTheNominalExampleOfKrippendorff) {
  // Section B: Ben and Gerry, twelve units, five categories; alpha = 0.692.
  const std::vector<AgreementUnit> units = {{1, 2}, {1, 1}, {2, 2}, {2, 2}, {4, 2}, {3, 3},
                                            {3, 3}, {3, 3}, {5, 5}, {4, 4}, {4, 4}, {1, 4}};
  EXPECT_NEAR(krippendorff_alpha(units).value(), 0.692, 0.0005);
}

TEST(AgreementTest, GivesTheExampleWithMissingValuesOfKrippendorff) {
  // Section C: four observers, twelve units, missing values; nominal alpha = 0.743.
  const std::vector<AgreementUnit> units = {{1, 1, 1},    {2, 2, 3, 2}, {3, 3, 3, 3}, {3, 3, 3, 3},
                                            {2, 2, 2, 2}, {1, 2, 3, 4}, {4, 4, 4, 4}, {1, 1, 2, 1},
                                            {2, 2, 2, 2}, {5, 5, 5},    {1, 1},       {3}};
  EXPECT_NEAR(krippendorff_alpha(units).value(), 0.743, 0.0005);
}

TEST(AgreementTest, KnowsPerfectAgreementAndSystematicDisagreement) {
  EXPECT_DOUBLE_EQ(krippendorff_alpha({{0, 0, 0}, {1, 1, 1}}).value(), 1);
  EXPECT_LT(krippendorff_alpha({{0, 1}, {1, 0}, {0, 1}}).value(), 0);
}

TEST(AgreementTest, SaysNothingWithoutPairsOrWithoutVariation) {
  EXPECT_FALSE(krippendorff_alpha({}));
  EXPECT_FALSE(krippendorff_alpha({{0}, {1}}));
  EXPECT_FALSE(krippendorff_alpha({{1, 1}, {1, 1}}));
}

}  // namespace
}  // namespace cutd
