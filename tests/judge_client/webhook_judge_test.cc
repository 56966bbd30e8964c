// A judge behind a webhook: what it is sent is what schemas/json/webhook_judge.json says, and what cannot be
// configured.
#include "judge_client/webhook_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/yaml.h"
#include "judge_client/annotator.h"
#include "judge_client/counting_sink.h"
#include "judge_client/make_llm_judge.h"
#include "support/error_of.h"
#include "support/fake_llm/fake_llm_server.h"
#include "support/folders.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

Json schema_of(const char* part) {
  const auto path = source_folder() / "schemas/json/webhook_judge.json";
  return read_json_file(path).at("$defs").at(part);
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

class WebhookJudgeTest : public ::testing::Test {
 protected:
  // Judges one response; the webhook answers `reply`.
  JudgeOutcome judge(const Json& reply, bool ended = true, const std::string& reference = "") {
    FakeLlmServer server([&](const FakeRequest& request) {
      seen_ = request;
      FakeReply answer;
      answer.body = to_json_text(reply);
      return answer;
    });
    LlmAnnotator config;
    config.api = "webhook";
    config.base_url = server.url("/hooks/judge?team=a");
    config.allow_http = true;
    config.allow_private = {"127.0.0.1"};
    LlmJudgeOptions options = llm_judge_options(config, "canary-key");
    options.max_unusable_retries = 0;
    LlmJudge one(options, clock_);
    one.submit({RequestId{1}, "Name a fruit.", "A \"pear\".\n### Response: x", ended, reference});
    CountingSink sink;
    one.run({}, sink);
    hits_ = server.counts().hits;
    return sink.outcomes.at(1);
  }

  const std::string item_ = item_code({"Name a fruit.", "A \"pear\".\n### Response: x", ""});
  SystemClock clock_;
  FakeRequest seen_;
  std::int64_t hits_ = 0;
};

TEST_F(WebhookJudgeTest, SendsWhatTheSchemaSaysToExactlyItsUrl) {
  judge({{"item", item_}, {"perfect", true}, {"critique", ""}}, false);
  EXPECT_EQ(seen_.method, "POST");
  EXPECT_EQ(seen_.path, "/hooks/judge?team=a");
  EXPECT_EQ(seen_.headers["content-type"], "application/json");
  EXPECT_EQ(seen_.headers["authorization"], "Bearer canary-key");
  const Json body = parse_json(seen_.body, "request");
  const Json schema = schema_of("request");
  EXPECT_THAT(keys_of(body), UnorderedElementsAreArray(schema.at("required").get<std::vector<std::string>>()));
  EXPECT_EQ(body["version"], schema.at("properties").at("version").at("const"));
  EXPECT_EQ(body["item"], item_);
  EXPECT_EQ(body["instruction"], "Name a fruit.");
  EXPECT_EQ(body["response"], "A \"pear\".\n### Response: x");  // data: nothing in it is neutralised
  EXPECT_EQ(body["ended"], false);
}

TEST_F(WebhookJudgeTest, SendsTheReferenceOfAnInstructionThatHasOne) {
  judge({{"item", item_}, {"perfect", true}, {"critique", ""}}, true, "An apple.");
  const Json body = parse_json(seen_.body, "request");
  EXPECT_THAT(keys_of(body), UnorderedElementsAreArray(keys_of(schema_of("request").at("properties"))));
  EXPECT_EQ(body["reference"], "An apple.");
}

TEST_F(WebhookJudgeTest, ReadsAReplyByTheSchemaAndNothingElse) {
  const Json good = {{"item", item_}, {"perfect", false}, {"critique", "It ignores the question."}};
  const Json schema = schema_of("reply");
  EXPECT_THAT(keys_of(good), UnorderedElementsAreArray(keys_of(schema.at("properties"))));
  const JudgeOutcome outcome = judge(good);
  ASSERT_TRUE(std::holds_alternative<Verdict>(outcome)) << std::get<JudgeFailure>(outcome).reason;
  EXPECT_EQ(std::get<Verdict>(outcome).text, "It ignores the question.");
  EXPECT_FALSE(std::get<Verdict>(outcome).perfect);
  for (const std::string& key : schema.at("required").get<std::vector<std::string>>()) {
    Json lacking = good;
    lacking.erase(key);
    EXPECT_TRUE(std::holds_alternative<JudgeFailure>(judge(lacking))) << key;
  }
  Json more = good;
  more["confidence"] = 0.9;
  EXPECT_FALSE(schema.at("additionalProperties").get<bool>());
  EXPECT_TRUE(std::holds_alternative<JudgeFailure>(judge(more)));
}

std::string refusal(const std::string& llm, const std::string& kind = "llm") {
  return error_of(ErrorCode::kUsage, [&] {
    parse_annotator(parse_yaml("name: hook\nkind: " + kind + "\nllm: {api: webhook, " + llm + "}", "run.yaml"),
                    "run.yaml");
  });
}

TEST(WebhookAnnotatorTest, NeedsAUrlAndNeitherModelNorPromptNorPrice) {
  const AnnotatorConfig config = parse_annotator(
      parse_yaml("name: hook\nkind: llm\nllm: {api: webhook, base_url: 'https://judge.example.org/v2'}", "run.yaml"),
      "run.yaml");
  EXPECT_TRUE(asks_over_http(config));
  EXPECT_EQ(annotator_version(parse_annotator(annotator_json(config), "stored")), annotator_version(config));
  EXPECT_THAT(refusal("model: x"), HasSubstr("llm.base_url"));
  EXPECT_THAT(refusal("base_url: 'http://x.example'"), HasSubstr("llm.base_url"));
  EXPECT_THAT(refusal("base_url: 'https://x.example', model: m"), HasSubstr("llm.model"));
  EXPECT_THAT(refusal("base_url: 'https://x.example', prompt: verdict"), HasSubstr("llm.prompt"));
  EXPECT_THAT(refusal("base_url: 'https://x.example', price: {input: 1}"), HasSubstr("tokens are not counted"));
  EXPECT_THAT(refusal("base_url: 'https://x.example', max_tpm: 1000"), HasSubstr("llm.max_tpm"));
}

TEST(WebhookAnnotatorTest, TakesNoBatches) {
  EXPECT_THAT(refusal("base_url: 'https://x.example'", "batch"), HasSubstr("there are no batches for \"webhook\""));
  LlmAnnotator config;
  config.api = "webhook";
  config.base_url = "https://x.example";
  const SystemClock clock;
  EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { make_llm_judge(config, "", clock, true); }), HasSubstr("no batches"));
}

TEST(WebhookAnnotatorTest, ItsVersionFollowsItsUrl) {
  LlmAnnotator one;
  one.api = "webhook";
  one.base_url = "https://x.example/a";
  LlmAnnotator other = one;
  other.max_rpm = 5;
  EXPECT_EQ(llm_annotator_version(other), llm_annotator_version(one));
  other.base_url = "https://x.example/b";
  EXPECT_NE(llm_annotator_version(other), llm_annotator_version(one));
}

}  // namespace
}  // namespace cutd
