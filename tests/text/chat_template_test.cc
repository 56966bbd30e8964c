#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "text_data.h"

namespace cutd {
namespace {

using testing::HasSubstr;

// The outcome of rendering as the case files have it: {"rendered": text} or {"error": why}.
Json outcome(const std::string& source, const Json& messages, const ChatOptions& options) {
  try {
    return {{"rendered", ChatTemplate(source, {}, "test").render(messages, options)}};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    return {{"error", error.what()}};
  }
}

TEST(ChatTemplateTest, RendersEverySmallCaseAsTransformersDoes) {
  ::setenv("TZ", "UTC", 1);
  const Json data = read_json_file(text_data("chat_cases.json"));
  for (const auto& [title, entry] : data.at("templates").items()) {
    for (const auto& [name, expected] : entry.at("cases").items()) {
      SCOPED_TRACE(title + ": " + name);
      const std::string conversation = name.substr(0, name.find('/'));
      ChatOptions options;
      options.add_generation_prompt = name.ends_with("/prompt");
      options.variables = data.at("variables");
      options.now = data.at("now").get<std::int64_t>();
      if (conversation == "tools") options.tools = data.at("tools");
      const Json actual = outcome(entry.at("template"), data.at("conversations").at(conversation), options);
      ASSERT_EQ(actual.contains("error"), expected.contains("error")) << actual.dump() << "\n" << expected.dump();
      if (expected.contains("rendered")) {
        EXPECT_EQ(actual.at("rendered"), expected.at("rendered"));
      }
    }
  }
}

const Json kMessages = Json::array({{{"role", "user"}, {"content", "hi"}}});

TEST(ChatTemplateTest, ATemplatesOwnComplaintIsTheError) {
  const Json actual = outcome("{{ raise_exception('Only one user turn, please') }}", kMessages, {});
  EXPECT_EQ(actual.at("error"), "test: chat template: Only one user turn, please");
}

TEST(ChatTemplateTest, AComplaintInsideAMacroIsTheErrorToo) {
  const Json actual = outcome("{% macro m() %}{{ raise_exception('deep') }}{% endmacro %}{{ m() }}", kMessages, {});
  EXPECT_EQ(actual.at("error"), "test: chat template: deep");
}

TEST(ChatTemplateTest, SyntaxErrorsNameTheLine) {
  try {
    ChatTemplate("line one\n{% if %}", {}, "model/tokenizer_config.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("model/tokenizer_config.json"));
    EXPECT_THAT(error.what(), HasSubstr("chat template:2"));
  }
}

TEST(ChatTemplateTest, EndlessRecursionIsAnErrorAndNoCrash) {
  EXPECT_TRUE(outcome("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", kMessages, {}).contains("error"));
  const std::string nested(5000, '(');
  EXPECT_TRUE(outcome("{{ " + nested + " }}", kMessages, {}).contains("error"));
}

TEST(ChatTemplateTest, TemplatesThatWouldExhaustTimeMemoryOrStackAreErrors) {
  std::string chain = "{{ ";
  for (int count = 0; count < 200'000; ++count) chain += "not ";
  const std::string nest =
      "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}";
  const std::vector<std::string> sources = {
      "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
      "{{ ('x' * 1000000).replace('x', 'x' * 1000000) | length }}",
      "{{ 'x' * 10000000000 }}",
      "{{ 'x' | indent(99999999999) }}",
      "{{ '{:999999999999}'.format(1) }}",
      "{{ 'x'.ljust(99999999999) }}",
      chain + "1 }}",
      nest + "{{ ns.x }}",
      nest + "{{ ns.x | tojson }}"};
  for (const std::string& source : sources) {
    EXPECT_TRUE(outcome(source, kMessages, {}).contains("error")) << source.substr(0, 100);
  }
  const std::string longest = "{{ " + std::string(65'000, '-') + "1 }}";
  EXPECT_EQ(outcome(longest, kMessages, {}).at("rendered"), "1");
}

TEST(ChatTemplateTest, SpecialTokensAreVariablesAndCallersVariablesWin) {
  const ChatTemplate chat_template("{{ bos_token }}{{ extra }}", {{"bos_token", "<s>"}}, "test");
  ChatOptions options;
  EXPECT_EQ(chat_template.render(kMessages, options), "<s>");
  options.variables = {{"bos_token", "<b>"}, {"extra", 1}};
  EXPECT_EQ(chat_template.render(kMessages, options), "<b>1");
}

TEST(ChatTemplateTest, MessagesOfTheWrongShapeAreNamed) {
  EXPECT_THAT(outcome("x", Json("hi"), {}).at("error").get<std::string>(), HasSubstr("\"messages\" must be an array"));
  EXPECT_THAT(outcome("x", Json::array({"hi"}), {}).at("error").get<std::string>(), HasSubstr("messages[0]"));
}

TEST(ChatTemplateTest, ABadTimeFormatIsAnErrorAndNoCrash) {
  EXPECT_TRUE(outcome("{{ strftime_now('%Q %') }}", kMessages, {}).contains("error"));
}

TEST(ChatTemplateTest, OneTemplateServesManyThreads) {
  const ChatTemplate chat_template("{% for m in messages %}{{ m.role }}{% endfor %}", {}, "test");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&chat_template, &count] {
      for (int round = 0; round < 100; ++round) count += chat_template.render(kMessages, {}) != "user";
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(ChatTemplateTest, AChatsBosIsNotDoubled) {
  TokenizerConfig config;
  config.bos_token = "<s>";
  const Tokenizer tokenizer = small_tokenizer("sentencepiece", config);
  const ChatTemplate chat_template("{{ bos_token }}{{ messages[0].content }}", {{"bos_token", "<s>"}}, "test");
  const RenderedChat chat = encode_chat(tokenizer, chat_template, kMessages, {});
  EXPECT_EQ(chat.text, "<s>hi");
  ASSERT_GE(chat.ids.size(), 2U);
  EXPECT_EQ(chat.ids[0], 1);
  EXPECT_NE(chat.ids[1], 1);
}

TEST(ChatTemplateTest, RendersThePublishedTemplatesExactly) {
  const auto path = golden_tokenizer_data("known_templates.json");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const Json data = read_json_file(path);
  int compared = 0;
  for (const auto& [model, entry] : data.at("models").items()) {
    for (const auto& [name, expected] : entry.at("cases").items()) {
      SCOPED_TRACE(model + ": " + name);
      ChatOptions options;
      options.add_generation_prompt = name.ends_with("/prompt");
      options.now = 1'721'995'200;  // 26 July 2024, the date of the golden renderings
      options.variables = json_get_or(entry, "extra", Json(Json::object()), model);
      for (const char* role : {"bos_token", "eos_token"}) {
        if (entry.contains(role)) options.variables[role] = entry.at(role);
      }
      const Json& messages = data.at("conversations").at(name.substr(0, name.find('/')));
      const Json actual = outcome(entry.at("template"), messages, options);
      EXPECT_EQ(actual.contains("error"), expected.contains("error")) << actual.dump();
      if (expected.contains("rendered")) {
        EXPECT_EQ(actual.value("rendered", Json()), expected.at("rendered"));
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 13 * 14);
}

}  // namespace
}  // namespace cutd
