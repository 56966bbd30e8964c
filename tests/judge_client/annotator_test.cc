#include "judge_client/annotator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/yaml.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

AnnotatorConfig parse(const std::string& yaml) {
  return parse_annotator(parse_yaml(yaml, "run.yaml"), "run.yaml: annotators[0]");
}

std::string refusal_of(const std::string& yaml) {
  try {
    parse(yaml);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(AnnotatorTest, ReadsAGuideline) {
  const AnnotatorConfig config = parse("name: strict\nguideline:\n  max_words: 30\n  forbidden_openings: [well]\n");
  EXPECT_EQ(config.name, "strict");
  EXPECT_EQ(config.guideline.max_words, 30);
  EXPECT_EQ(config.guideline.forbidden_openings, std::vector<std::string>{"well"});
  EXPECT_EQ(config.guideline.min_words, 8);
}

TEST(AnnotatorTest, IsStrict) {
  EXPECT_THAT(refusal_of("guideline:\n  max_wrods: 30\n"), HasSubstr("did you mean \"guideline.max_words\""));
  EXPECT_THAT(refusal_of("kind: oracle\n"), HasSubstr("\"kind\""));
  EXPECT_THAT(refusal_of("name: A/B\n"), HasSubstr("\"name\""));
  EXPECT_THAT(refusal_of("guideline:\n  min_words: 50\n"), HasSubstr("no response could pass"));
}

TEST(AnnotatorTest, AsksAModelInTheEngineWithoutUrlKeyOrPrice) {
  const std::string engine = "name: own\nkind: llm\nllm: {api: engine, model: critic-1b";
  const AnnotatorConfig config = parse(engine + ", prompt: yes-no}");
  EXPECT_TRUE(asks_engine(config));
  EXPECT_FALSE(asks_over_http(config));
  EXPECT_THAT(annotator_version(config), HasSubstr("llm/critic-1b/yes-no/"));
  EXPECT_EQ(annotator_version(parse_annotator(annotator_json(config), "stored")), annotator_version(config));
  EXPECT_THAT(refusal_of("kind: llm\nllm: {api: engine}"), HasSubstr("llm.model"));
  EXPECT_THAT(refusal_of(engine + ", base_url: 'http://127.0.0.1'}"), HasSubstr("llm.base_url"));
  EXPECT_THAT(refusal_of(engine + ", api_key_name: KEY}"), HasSubstr("llm.api_key_name"));
  EXPECT_THAT(refusal_of(engine + ", price: {output: 1}}"), HasSubstr("llm.price"));
  EXPECT_THAT(refusal_of("kind: batch\nllm: {api: engine, model: m}"), HasSubstr("there are no batches"));
}

TEST(AnnotatorTest, ComesBackFromItsJson) {
  AnnotatorConfig config;
  config.guideline.max_words = 33;
  EXPECT_EQ(annotator_version(parse_annotator(annotator_json(config), "test")), annotator_version(config));
}

TEST(AnnotatorTest, ChangesItsVersionWithItsGuideline) {
  AnnotatorConfig one;
  AnnotatorConfig other;
  other.guideline.self_talk.pop_back();
  EXPECT_NE(annotator_version(one), annotator_version(other));
  EXPECT_THAT(annotator_version(one), ::testing::MatchesRegex("rule/[0-9a-f]{16}"));
}

TEST(AnnotatorTest, PrintsItsGuidelineForPeople) {
  const std::string prose = guideline_prose(Guideline{});
  EXPECT_THAT(prose, HasSubstr("8 to 40 words"));
  EXPECT_THAT(prose, HasSubstr("\"as an ai\""));
  Guideline loose;
  loose.forbid_lists = false;
  EXPECT_THAT(guideline_prose(loose), ::testing::Not(HasSubstr("No lists")));
}

}  // namespace
}  // namespace cutd
