// Promise P16 at the level of the parsers: replies that are no judgment of this item, each given to each parser at its
// every truncation too. None may become a verdict. The negative control shows that the list catches a lax parser.
#include <gtest/gtest.h>

#include <algorithm>

#include "judge_client/bad_replies.h"
#include "judge_client/judging_prompt.h"

namespace cutd {
namespace {

const JudgedText kText{"Name a fruit.", "An apple is a fruit that grows on trees.", ""};

class ReplyMatrixTest : public ::testing::TestWithParam<std::string> {
 protected:
  const JudgingPrompt prompt_ = judging_prompt(GetParam());
  const std::string item_ = item_code(kText);
  bool is_verdict(const std::string& reply) const {
    return std::holds_alternative<Verdict>(parse_verdict(prompt_.rule, reply, item_));
  }
};

TEST_P(ReplyMatrixTest, NoneBecomesAVerdict) {
  std::vector<BadReply> replies = bad_texts();
  if (!prompt_.schema.is_null()) {
    for (BadReply& reply : bad_objects(item_)) replies.push_back(std::move(reply));
  }
  EXPECT_GE(replies.size(), 40U);
  for (const BadReply& reply : replies) EXPECT_FALSE(is_verdict(reply.text)) << reply.name;
}

// A JSON reply that was cut is never whole again; free text that was cut is caught by its finish reason.
TEST_P(ReplyMatrixTest, AnObjectCutAtAnyByteIsNoVerdict) {
  if (prompt_.schema.is_null()) GTEST_SKIP() << "free text";
  const std::string decision = prompt_.rule.parser == "json_schema" ? "\"perfect\":false" : "\"rating\":4";
  const std::string whole = "{\"item\":\"" + item_ + "\"," + decision + ",\"critique\":\"It is short.\"}";
  EXPECT_TRUE(is_verdict(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(is_verdict(whole.substr(0, size))) << size;
}

TEST_P(ReplyMatrixTest, ALaxParserWouldBeCaught) {
  const auto lax = [](const std::string& reply) { return !reply.empty(); };  // "whatever is not perfect is a criticism"
  const std::vector<BadReply> replies = bad_texts();
  EXPECT_GT(std::count_if(replies.begin(), replies.end(), [&](const BadReply& reply) { return lax(reply.text); }), 35);
}

INSTANTIATE_TEST_SUITE_P(Prompts, ReplyMatrixTest, ::testing::Values("cut-fig8", "yes-no", "critique", "verdict"),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

TEST(VerdictParsersTest, ReadWhatIsAskedFor) {
  const auto verdict = [](const char* prompt, const std::string& reply) {
    return std::get<Verdict>(parse_verdict(judging_prompt(prompt).rule, reply, "12345678"));
  };
  EXPECT_TRUE(verdict("cut-fig8", "perfect").perfect);
  EXPECT_EQ(verdict("cut-fig8", " It ignores the question. \n").text, "It ignores the question.");
  EXPECT_TRUE(verdict("yes-no", "It answers the question. Yes.").perfect);
  EXPECT_EQ(verdict("yes-no", "It ignores the question. No.").text, "It ignores the question.");
  EXPECT_EQ(verdict("yes-no", "It ignores the question. Yes.").text, "Perfect.");
  EXPECT_TRUE(verdict("critique", R"({"item":"12345678","rating":10,"critique":""})").perfect);
  EXPECT_EQ(verdict("critique", R"({"item":"12345678","rating":7,"critique":"Too long."})").text, "Too long.");
  EXPECT_TRUE(verdict("verdict", R"({"item":"12345678","perfect":true,"critique":""})").perfect);
}

}  // namespace
}  // namespace cutd
