#include "llm_api/model_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llm_api/http_support.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> list_of(WireFormat format, const std::string& script, const std::string& key = "canary-key") {
  FakeLlmServer server(scripted_api(parse_json(script, "script")));
  return fetch_model_list({format, server.url(), key}, local_http());
}

TEST(ModelListTest, AsksEitherApi) {
  for (const WireFormat format : {WireFormat::kOpenAi, WireFormat::kAnthropic}) {
    EXPECT_THAT(list_of(format, R"({"models":["judge-1","judge-2"],"api_key":"canary-key"})"),
                ElementsAre("judge-1", "judge-2"));
  }
}

TEST(ModelListTest, IsEmptyWhereItCannotBeHad) {
  EXPECT_THAT(list_of(WireFormat::kOpenAi, "{}"), IsEmpty());
  EXPECT_THAT(list_of(WireFormat::kOpenAi, R"({"models":["a"],"api_key":"another"})"), IsEmpty());
  EXPECT_THAT(list_of(WireFormat::kOpenAi, R"({"models":["a"],"faults":[{"html":true}]})"), IsEmpty());
  EXPECT_THAT(list_of(WireFormat::kOpenAi, R"({"models":["a"],"faults":[{"drop":true}]})"), IsEmpty());
  EXPECT_THAT(list_of(WireFormat::kWebhook, R"({"models":["a"]})"), IsEmpty());
}

TEST(ModelListTest, LeavesOutWhatIsNoName) {
  HttpReply reply;
  reply.status = 200;
  reply.body = R"({"data":[{"id":"a"},{"id":7},"b",{}]})";
  EXPECT_THAT(read_model_list(reply), ElementsAre("a"));
  for (const char* body : {"", "[]", R"({"data":{}})", "null"}) {
    reply.body = body;
    EXPECT_THAT(read_model_list(reply), IsEmpty()) << body;
  }
}

TEST(ModelListTest, NamesTheNearest) {
  EXPECT_EQ(advice_on_model("gpt4o", {"o3", "gpt-4o"}),
            "it serves no model \"gpt4o\"; nearest of the 2 that it serves: gpt-4o, o3");
  EXPECT_EQ(advice_on_model("o3", {"o3", "gpt-4o"}), "");
  EXPECT_EQ(advice_on_model("o3", {}), "");
}

}  // namespace
}  // namespace cutd
