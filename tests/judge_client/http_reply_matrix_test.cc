// Promise P16 through the whole judge over real HTTP: of everything that a broken or hostile server can answer, plain,
// packed and in chunks, whole and cut at every byte, nothing but a whole good answer becomes a verdict.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "core/sanitized.h"
#include "judge_client/counting_sink.h"
#include "judge_client/make_llm_judge.h"
#include "judge_client/wire_replies.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const JudgeRequest kRequest{RequestId{1}, "Name a fruit.", "An apple is a fruit that grows on trees.", true};
constexpr const char* kCriticism = "It ignores the question.";

struct Asked {
  const char* name;
  const char* api;
  const char* prompt;
};
constexpr Asked kAsked[] = {{"openai_text", "openai", "cut-fig8"},
                            {"openai_json", "openai", "critique"},
                            {"anthropic_text", "anthropic", "cut-fig8"},
                            {"anthropic_json", "anthropic", "critique"},
                            {"webhook", "webhook", ""}};

struct Manner {
  const char* name;
  Framing framing;
  bool gzip;
};
constexpr Manner kManners[] = {
    {"plain", Framing::kLength, false}, {"gzip", Framing::kLength, true}, {"chunked", Framing::kChunked, false}};

std::int64_t most_resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  std::int64_t value = 0;
  while (status >> word && word != "VmHWM:") continue;
  status >> value;
  return value;
}

class HttpReplyMatrixTest : public ::testing::TestWithParam<Asked> {
 protected:
  HttpReplyMatrixTest()
      : server_([this](const FakeRequest&) {
          const std::lock_guard lock(mutex_);
          return next_;
        }),
        options_(options()) {}

  // What one judge, asked once, makes of `reply`: the verdict's text, or nothing.
  std::optional<std::string> label(const FakeReply& reply) {
    {
      const std::lock_guard lock(mutex_);
      next_ = reply;
    }
    LlmJudge judge(options_, clock_);
    judge.submit(kRequest);
    CountingSink sink;
    judge.run({}, sink);
    for (const std::string& bytes : sink.raw) received_.push_back(bytes);
    const auto found = sink.outcomes.find(1);
    const auto* verdict = found == sink.outcomes.end() ? nullptr : std::get_if<Verdict>(&found->second);
    return verdict == nullptr ? std::nullopt : std::optional(verdict->text);
  }

  // The names of those that became a label, in each manner.
  std::vector<std::string> labelled(const std::vector<WireReply>& replies) {
    std::vector<std::string> names;
    for (const WireReply& one : replies) {
      for (const Manner& manner : kManners) {
        if (one.framed && manner.name != kManners[0].name) break;
        FakeReply reply = one.reply;
        if (!one.framed) reply.framing = manner.framing;
        if (!one.framed) reply.gzip = manner.gzip;
        if (label(reply)) names.push_back(one.name + ", " + manner.name);
      }
    }
    return names;
  }

  std::string good_text() const {
    if (GetParam().prompt == std::string("cut-fig8")) return kCriticism;
    const std::string decision = is_webhook() ? "\"perfect\":false" : "\"rating\":4";
    return "{\"item\":\"" + item_ + "\"," + decision + ",\"critique\":\"" + kCriticism + "\"}";
  }
  std::string good_body() const { return body_of(GetParam().api, good_text()); }
  bool is_webhook() const { return GetParam().api == std::string("webhook"); }

  std::vector<WireReply> bad_replies() const {
    std::vector<WireReply> replies = bad_bodies(good_body());
    const auto add = [&](std::vector<WireReply> more) {
      for (WireReply& one : more) replies.push_back(std::move(one));
    };
    add(bad_heads(good_body()));
    add(bad_framings(good_body()));
    add(bad_answers(GetParam().api, good_text()));
    std::vector<BadReply> texts = bad_texts();
    if (GetParam().prompt != std::string("cut-fig8")) {
      for (BadReply& one : bad_objects(item_)) texts.push_back(std::move(one));
    }
    for (const BadReply& one : texts)
      replies.push_back({"the judge says: " + one.name, reply_of(body_of(GetParam().api, one.text))});
    return replies;
  }

  // Of the answers that came whole, how many a judge would take that calls everything but "Perfect." a criticism.
  std::ptrdiff_t taken_by_a_lax_judge() const {
    return std::count_if(received_.begin(), received_.end(), [](const std::string& bytes) { return !bytes.empty(); });
  }

 private:
  LlmJudgeOptions options() const {
    LlmAnnotator config;
    config.api = GetParam().api;
    config.base_url = server_.url();
    config.prompt = GetParam().prompt;
    if (!is_webhook()) config.model = "judge-1";
    config.allow_http = true;
    config.allow_private = {"127.0.0.1"};
    LlmJudgeOptions options = llm_judge_options(config, "");
    options.max_unusable_retries = 0;
    options.client.retry.sends = 1;
    options.client.retry.parks = 0;
    return options;
  }

 protected:
  const std::string item_ = item_code({kRequest.instruction, kRequest.response, ""});

 private:
  SystemClock clock_;
  std::mutex mutex_;
  FakeReply next_;  // guarded by mutex_
  std::vector<std::string> received_;
  FakeLlmServer server_;
  const LlmJudgeOptions options_;
};

TEST_P(HttpReplyMatrixTest, NoBadReplyBecomesALabel) {
  const std::vector<WireReply> replies = bad_replies();
  ASSERT_GE(replies.size(), 40U);
  const std::int64_t before = most_resident_kib();
  EXPECT_THAT(labelled(replies), IsEmpty());
  if (!kSanitized) {
    EXPECT_LT(most_resident_kib() - before, 64 * 1024);
  }
  // The negative control: most of them did arrive, and would have been labels for a judge that is not strict.
  EXPECT_GT(taken_by_a_lax_judge(), 2 * static_cast<std::ptrdiff_t>(replies.size()));
}

TEST_P(HttpReplyMatrixTest, AGoodReplyIsOneInEachManner) {
  EXPECT_THAT(labelled({{"good", reply_of(good_body())}}), ElementsAre("good, plain", "good, gzip", "good, chunked"));
  EXPECT_EQ(label(reply_of(good_body())), kCriticism);
}

TEST_P(HttpReplyMatrixTest, AGoodReplyCutAtAnyByteIsNone) {
  for (const Manner& manner : kManners) {
    FakeReply reply = reply_of(good_body());
    reply.framing = manner.framing;
    reply.gzip = manner.gzip;
    const std::string wire = fake_wire(reply);
    // Of the chunk that ends all, the last line feed may be missing: nothing of the body is.
    const std::size_t all = wire.size() - (manner.framing == Framing::kChunked ? 1 : 0);
    int tempting = 0;  // the negative control: cuts after which the judgment's words have all come
    for (std::size_t k = 0; k < all; ++k) {
      reply.cut_at = k;
      EXPECT_FALSE(label(reply)) << manner.name << ": cut at " << k << " of " << wire.size();
      tempting += wire.substr(0, k).find("question.") != std::string::npos ? 1 : 0;
    }
    EXPECT_TRUE(manner.name != kManners[0].name || tempting > 0);
    reply.cut_at = wire.size();
    EXPECT_EQ(label(reply), kCriticism) << manner.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Apis, HttpReplyMatrixTest, ::testing::ValuesIn(kAsked),
                         [](const auto& asked) { return std::string(asked.param.name); });

}  // namespace
}  // namespace cutd
