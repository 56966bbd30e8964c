#include "engine/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/json.h"

namespace cutd {
namespace {

// Through text, as on the wire.
template <typename T>
T round_trip(const T& value) {
  return decode<T>(parse_json(to_json_text(encode(value)), "test"));
}

ModelSpec some_model() { return {"/models/m", "/adapters/a", "bfloat16", "cuda:1", 4}; }

TEST(ProtocolTest, AGenerateRequestSurvives) {
  GenerateRequest request;
  request.model = some_model();
  request.sampling.temperature = 0.7;
  request.sampling.stop = {"\n\n", "END"};
  request.prompts = {{{1, 2, 3}, 9'000'000'000'000'000'001}, {{}, 0}};
  request.max_batch = 5;
  const GenerateRequest copy = round_trip(request);
  EXPECT_EQ(copy.model.device, "cuda:1");
  EXPECT_EQ(copy.model.threads, 4);
  EXPECT_EQ(copy.sampling.temperature, 0.7);
  EXPECT_EQ(copy.sampling.stop, request.sampling.stop);
  ASSERT_EQ(copy.prompts.size(), 2U);
  EXPECT_EQ(copy.prompts[0].ids, request.prompts[0].ids);
  EXPECT_EQ(copy.prompts[0].seed, 9'000'000'000'000'000'001);
  EXPECT_EQ(copy.max_batch, 5);
}

TEST(ProtocolTest, LogProbabilitiesSurviveExactly) {
  const double odd = -std::nextafter(1.0 / 3.0, 1.0);
  const GenerateReply reply = round_trip(GenerateReply{{{1}, "Grüße", "length", {odd, -0.0}}});
  EXPECT_EQ(reply.at(0).logprobs.at(0), odd);
  EXPECT_EQ(reply.at(0).text, "Grüße");
  EXPECT_EQ(round_trip(ScoreReply{{odd}, {}}).at(0).at(0), odd);
}

TEST(ProtocolTest, ATrainingConfigurationSurvivesWhole) {
  TrainRequest request;
  request.model = some_model();
  request.manifest = "m.jsonl";
  request.config.learning_rate = 1e-3;
  request.config.objective.detection = false;
  request.config.lora.target_modules = {"q_proj"};
  request.config.max_steps = 12;
  const TrainRequest copy = round_trip(request);
  EXPECT_EQ(encode(copy), encode(request));
  EXPECT_EQ(copy.config.lora.target_modules, std::vector<std::string>{"q_proj"});
  EXPECT_FALSE(copy.config.objective.detection);
}

TEST(ProtocolTest, ANumberThatIsNotANumberTravelsAsNull) {
  TrainReply reply;
  reply.final_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(round_trip(reply).final_loss));
}

TEST(ProtocolTest, NamesAMissingKey) {
  Json value = encode(some_model());
  value.erase("dtype");
  try {
    decode<ModelSpec>(value);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("\"dtype\" is missing"));
  }
}

TEST(ProtocolTest, NamesAnUnknownKey) {
  Json value = encode(ScoreRequest{some_model(), {{{1, 2}, 1}}});
  value["items"][0]["frist"] = 1;
  try {
    decode<ScoreRequest>(value);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("\"frist\" is not known"));
  }
}

TEST(ProtocolTest, RefusesAListInPlaceOfAnObject) { EXPECT_THROW(decode<Heartbeat>(Json::array()), Error); }

}  // namespace
}  // namespace cutd
