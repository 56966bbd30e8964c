#include "store/webhooks.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kHour = 3'600'000'000;

class WebhooksTest : public StoreTest {
 protected:
  std::int64_t add(const std::vector<std::string>& events) {
    return write([&](Writer& writer) { return add_webhook(writer, "https://example.org/hook", events); });
  }
  void announce_all() {
    write([](Writer& writer) { announce_round_events(writer); });
  }
  std::vector<Delivery> due() {
    return read([&](Reader& reader) { return due_deliveries(reader, clock_.wall_micros(), 2 * kHour, 10); });
  }
};

TEST_F(WebhooksTest, TellsOnceWhatARoundDidAfterTheWebhookWasMade) {
  const RunId run = new_run();
  bring_to(new_round(run), Phase::kGenerating);
  add({"round.failed", "round.paused"});
  announce_all();
  EXPECT_THAT(due(), IsEmpty());
  const RoundId round = this->round(RoundId{1}).id;
  write([&](Writer& writer) { pause_round(writer, round, Phase::kGenerating, "budget: the cap is reached"); });
  EXPECT_TRUE(read([](Reader& reader) { return has_unannounced_events(reader); }));
  announce_all();
  announce_all();
  ASSERT_THAT(due(), SizeIs(1));
  EXPECT_EQ(due()[0].event, "round.paused");
  EXPECT_EQ(due()[0].payload.at("round").at("id"), round.value);
  EXPECT_EQ(due()[0].payload.at("why"), "budget: the cap is reached");
  EXPECT_FALSE(read([](Reader& reader) { return has_unannounced_events(reader); }));
}

TEST_F(WebhooksTest, TheSameSubjectIsOneDelivery) {
  add({"queue.needs_people"});
  for (int i = 0; i < 3; ++i) {
    write([](Writer& writer) { announce(writer, "queue.needs_people", "round/7", {{"round", 7}}); });
  }
  EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(WebhooksTest, AFailedDeliveryWaitsAndADeadOneIsTakenUpByHand) {
  const std::int64_t hook = add({"budget.reached"});
  write([](Writer& writer) { announce(writer, "budget.reached", "x", Json::object()); });
  const std::int64_t id = due().at(0).id;
  write([&](Writer& writer) { settle_undelivered(writer, id, 500, "status 500", writer.now() + kHour); });
  EXPECT_THAT(due(), IsEmpty());
  write([&](Writer& writer) { settle_undelivered(writer, id, 500, "status 500", std::nullopt); });
  EXPECT_EQ(read([](Reader& reader) { return list_webhooks(reader); }).at(0).dead, 1);
  write([&](Writer& writer) { retry_delivery(writer, id); });
  ASSERT_THAT(due(), SizeIs(1));
  write([&](Writer& writer) { settle_delivered(writer, id, 204); });
  error_of(ErrorCode::kConflict, [&] { write([&](Writer& writer) { retry_delivery(writer, id); }); });
  EXPECT_EQ(read([&](Reader& reader) { return browse_deliveries(reader, hook, std::nullopt, {}); }).at(0).state,
            "delivered");
}

TEST_F(WebhooksTest, AClockThatWasSetBackDelaysNothingForAYear) {
  add({"budget.reached"});
  write([](Writer& writer) { announce(writer, "budget.reached", "x", Json::object()); });
  const std::int64_t id = due().at(0).id;
  write([&](Writer& writer) { settle_undelivered(writer, id, std::nullopt, "x", writer.now() + 8760 * kHour); });
  EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(WebhooksTest, ARemovedWebhookHearsNothing) {
  const std::int64_t hook = add({"budget.reached"});
  write([&](Writer& writer) {
    announce(writer, "budget.reached", "x", Json::object());
    remove_webhook(writer, hook);
    announce(writer, "budget.reached", "y", Json::object());
  });
  EXPECT_THAT(due(), IsEmpty());
  error_of(ErrorCode::kNotFound, [&] { write([&](Writer& writer) { remove_webhook(writer, hook); }); });
}

}  // namespace
}  // namespace cutd
