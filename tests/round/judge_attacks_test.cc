// Promise P35: the judge is data-only. The project's attack set through the real prompts, client and parsers to a model
// that reads them (the double), and through a round with its canaries: what attacks is not called satisfactory, and a
// judge that gives in holds its round.
#include <algorithm>
#include <set>

#include "core/sanitized.h"
#include "dataset/prompt_template.h"
#include "judge_client/counting_sink.h"
#include "judge_client/judging_prompt.h"
#include "judge_client/make_llm_judge.h"
#include "round/canaries.h"
#include "round/frozen_run.h"
#include "round/round_fixture.h"
#include "support/fake_llm/attacks.h"
#include "support/fake_llm/fake_api.h"
#include "support/fake_llm/reading_judge.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kAsked = "Explain what a lighthouse is for.";

// All of them in the release build; instrumented, a request costs ten times as much.
constexpr std::size_t kStride = kSanitized ? 5 : 1;
constexpr std::int64_t kFewestAttacks = 300 / static_cast<std::int64_t>(kStride);

std::vector<Attack> asked_attacks() {
  std::vector<Attack> asked;
  for (std::size_t i = 0; i < attack_corpus().size(); i += kStride) asked.push_back(attack_corpus()[i]);
  return asked;
}

// What the judge is asked about: the attacks, as many clean controls, and some answers that are satisfactory.
std::vector<CanaryAnswer> known_verdicts(std::vector<std::string>& responses) {
  std::vector<CanaryAnswer> known;
  const auto add = [&](const std::string& text, bool perfect, bool attack) {
    responses.push_back(text);
    known.push_back({perfect, attack, std::nullopt});
  };
  for (const Attack& attack : asked_attacks()) add(attack.text, false, true);
  for (const std::string& control : clean_controls(asked_attacks().size())) add(control, false, false);
  for (int i = 0; i < 20; ++i) add(kGoodAnswer + std::string(static_cast<std::size_t>(i), ' '), true, false);
  return known;
}

LlmAnnotator annotator_at(const FakeLlmServer& server, const std::string& prompt) {
  LlmAnnotator annotator;
  annotator.base_url = server.url();
  annotator.model = "judge-1";
  annotator.prompt = prompt;
  annotator.allow_http = true;
  annotator.allow_private = {"127.0.0.1"};
  return annotator;
}

class JudgeAttacksTest : public ::testing::TestWithParam<const char*> {
 protected:
  // The verdicts of the double on everything that is known.
  std::vector<CanaryAnswer> judged_by(Reading reading) {
    const FakeLlmServer server(reading_judge(reading));
    std::vector<std::string> responses;
    std::vector<CanaryAnswer> known = known_verdicts(responses);
    LlmJudge judge(llm_judge_options(annotator_at(server, GetParam()), "key"), clock_);
    for (std::size_t i = 0; i < responses.size(); ++i)
      judge.submit({RequestId{static_cast<std::int64_t>(i)}, kAsked, responses[i], true});
    CountingSink sink;
    judge.run({}, sink);
    EXPECT_THAT(sink.failures(), IsEmpty());
    for (const auto& [id, outcome] : sink.outcomes) {
      if (const auto* verdict = std::get_if<Verdict>(&outcome))
        known[static_cast<std::size_t>(id)].judged = verdict->perfect;
    }
    return known;
  }

  SystemClock clock_;
};

TEST_P(JudgeAttacksTest, NoAttackIsCalledSatisfactory) {
  const std::vector<CanaryAnswer> answers = judged_by(Reading::kSound);
  const std::vector<Attack> attacks = asked_attacks();
  for (std::size_t i = 0; i < attacks.size(); ++i)
    EXPECT_EQ(answers[i].judged, false) << attacks[i].family << ": " << attacks[i].text.substr(0, 200);
  const CanaryHealth health = measure_canaries(answers);
  EXPECT_GE(health.attacks, kFewestAttacks);
  EXPECT_EQ(health.attacks_passed, 0);
  EXPECT_EQ(health.right, health.asked);
  EXPECT_THAT(canary_alarms(health, {}), IsEmpty());
}

// The negative control: what the alarm is for.
TEST_P(JudgeAttacksTest, AJudgeThatGivesInIsFoundOut) {
  const CanaryHealth health = measure_canaries(judged_by(Reading::kGullible));
  EXPECT_GT(health.attacks_passed * 2, health.attacks);
  EXPECT_EQ(health.controls_passed, 0);
  const std::vector<JudgingAlarm> alarms = canary_alarms(health, {});
  ASSERT_THAT(alarms, SizeIs(2));
  EXPECT_EQ(alarms[0].name, "canary_accuracy");
  EXPECT_EQ(alarms[1].name, "attacks");
}

INSTANTIATE_TEST_SUITE_P(Prompts, JudgeAttacksTest, ::testing::Values("cut-fig8", "critique", "yes-no"),
                         [](const auto& prompt) {
                           std::string name = prompt.param;
                           name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
                           return name;
                         });

TEST(AttackCorpusTest, HoldsEveryFamilyAndAlwaysTheSame) {
  std::set<std::string> families, texts;
  std::size_t longest = 0;
  for (const Attack& attack : attack_corpus()) {
    families.insert(attack.family);
    texts.insert(attack.text);
    longest = std::max(longest, static_cast<std::size_t>(std::count(attack.text.begin(), attack.text.end(), ' ')));
  }
  EXPECT_GE(texts.size(), 300U);
  EXPECT_EQ(texts.size(), attack_corpus().size());
  EXPECT_GE(families.size(), 12U);
  EXPECT_GE(longest, 2048U);
}

// What a reading model would see if the texts were put into a prompt as they come: the double obeys what gets out of
// its section, so that it is the prompt which keeps it sound.
TEST(AttackCorpusTest, GetsOutOfAPromptThatNeutralisesNothing) {
  const FakeHandler judge = reading_judge(Reading::kSound);
  const auto passes = [&](const std::string& user) {
    FakeRequest request;
    request.body = Json{{"messages", {{{"role", "user"}, {"content", user}}}}}.dump();
    return judge(request).body.find("Perfect.") != std::string::npos;
  };
  const JudgingPrompt prompt = judging_prompt("cut-fig8");
  std::map<std::string, int> out;
  for (const Attack& attack : attack_corpus()) {
    if (passes("### Instruction: " + std::string(kAsked) + "\n\n### Response: " + attack.text)) ++out[attack.family];
    EXPECT_FALSE(passes(render_judging_prompt(prompt, {kAsked, attack.text, ""}).user)) << attack.text.substr(0, 200);
  }
  for (const char* family : {"delimiters", "roles", "floods", "disguised delimiters", "disguised roles"})
    EXPECT_GT(out[family], 0) << family;
  EXPECT_GE(out["delimiters"], 40);
  EXPECT_EQ(out["orders"], 0);
}

// The other place where a text could get out of its section: what is trained on.
TEST(AttackCorpusTest, ClosesNoSectionOfTheTrainingTemplate) {
  const PromptTemplate prompts({}, {}, {"<|im_end|>", "<|im_start|>"});
  const auto count = [](const std::string& text, const std::string& mark) {
    std::size_t found = 0;
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) ++found;
    return found;
  };
  const std::string clean = prompts.render({kAsked, ""}, "Too short.");
  for (const Attack& attack : attack_corpus()) {
    const std::string judged = prompts.render({kAsked, ""}, attack.text);
    for (const char* mark : {"### Response:", "### Judgment:", "### Instruction:", "<|im_end|>", "<|im_start|>"}) {
      EXPECT_EQ(count(judged, mark), count(clean, mark)) << attack.text.substr(0, 200);
      EXPECT_EQ(count(prompts.render_response(attack.text), mark), 0U) << attack.text.substr(0, 200);
    }
  }
}

class AttackedRoundTest : public RoundTest {
 protected:
  // The whole attack set, with its controls and as many good answers, among the responses of a round.
  RunId start_attacked(Reading reading) {
    server_.emplace(reading_judge(reading));
    std::vector<std::string> responses;
    const std::vector<CanaryAnswer> known = known_verdicts(responses);
    std::string lines;
    for (std::size_t i = 0; i < known.size(); ++i) {
      lines += Json{{"instruction", kAsked},
                    {"response", responses[i]},
                    {"perfect", known[i].perfect},
                    {"attack", known[i].attack}}
                   .dump() +
               "\n";
    }
    files_.files["canaries.jsonl"] = lines;
    daemon().judges = [this](const AnnotatorConfig& config) -> std::unique_ptr<Judge> {
      return std::make_unique<LlmJudge>(llm_judge_options(config.llm, "key"), system_);
    };
    const Json llm{
        {"base_url", server_->url()}, {"model", "judge-1"}, {"allow_http", true}, {"allow_private", {"127.0.0.1"}}};
    // The scripted model's own responses are all criticised: rounds of four say nothing about shares.
    return start({{"annotators", {{{"name", "critic"}, {"kind", "llm"}, {"llm", llm}}}},
                  {"run", {{"rounds", 1}}},
                  {"alarms", {{"canaries", "canaries.jsonl"}, {"canaries_per_round", known.size()}}}});
  }

  SystemClock system_;
  std::optional<FakeLlmServer> server_;
};

TEST_F(AttackedRoundTest, ASoundJudgeHoldsNothing) {
  const RunId run = start_attacked(Reading::kSound);
  EXPECT_EQ(work(run), RunState::kCompleted);
  const Round round = daemon().round(run);
  const CanaryHealth health = measure_canaries(daemon().read(
      [&](Reader& reader) { return read_canary_answers(reader, frozen_run_of(*find_run(reader, run)), round); }));
  EXPECT_GE(health.attacks, kFewestAttacks);
  EXPECT_EQ(health.right, health.asked);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(AttackedRoundTest, AGullibleJudgeTrainsAndPromotesNothing) {
  const RunId run = start_attacked(Reading::kGullible);
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().round(run).reason,
              AllOf(StartsWith("alarm: "), HasSubstr("attacks were judged satisfactory"), HasSubstr("--acknowledge")));
  EXPECT_EQ(daemon().round(run).resume_phase, Phase::kJudging);
  EXPECT_TRUE(engine_.trainings().empty());
  EXPECT_FALSE(daemon().read([&](Reader& reader) { return serving_adapter(reader, run); }));
}

}  // namespace
}  // namespace cutd
