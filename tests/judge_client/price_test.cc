#include "judge_client/price.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

const TokenPrice kPrice{2.5, 1.25, 10};  // dollars per million tokens

TEST(PriceTest, CountsEveryKindOfToken) {
  EXPECT_EQ(price_of(kPrice, {1000, 100, 0, 0}), 2500 + 1000);
  EXPECT_EQ(price_of(kPrice, {1000, 100, 400, 0}), 600 * 2.5 + 400 * 1.25 + 1000);
  EXPECT_EQ(price_of(kPrice, {1000, 0, 0, 400}), 600 * 2.5 + 400 * 2.5 * 1.25);
}

TEST(PriceTest, RoundsUpAndWithoutACachePriceChargesTheWhole) {
  EXPECT_EQ(price_of({0.15, -1, 0.6}, {1, 0, 0, 0}), 1);
  EXPECT_EQ(price_of({1, -1, 1}, {10, 0, 10, 0}), 10);
  EXPECT_EQ(price_of({0, -1, 0}, {1000, 1000, 0, 0}), 0);
}

TEST(PriceTest, NoRequestCostsMoreThanItsReservation) {
  ChatRequest request;
  request.messages = {{"system", std::string(100, 's')}, {"user", std::string(1000, 'u')}};
  request.max_tokens = 200;
  const std::int64_t most = most_cost(kPrice, request);
  // A token of text is at least a byte; all of it written to the cache, all of max_tokens used.
  EXPECT_GE(most, price_of(kPrice, {1100, 200, 0, 1100}));
  request.schema = {{"type", "object"}};
  EXPECT_GT(most_cost(kPrice, request), most);
}

}  // namespace
}  // namespace cutd
