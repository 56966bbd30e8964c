// Several annotators for each response, in a run: who is asked, whose word stands, and what happens when none does.
#include "round/quorum.h"

#include "round/frozen_run.h"
#include "round/round_fixture.h"
#include "round/run_commands.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Says of every response what its name says: "rules" what the guideline does, "kind" and "harsh" always the same,
// "broken" nothing that is a judgment.
class NamedJudge final : public Judge {
 public:
  explicit NamedJudge(AnnotatorConfig config) : config_(std::move(config)) {}
  void submit(JudgeRequest request) override { requests_.push_back(std::move(request)); }
  void run(std::stop_token stop, JudgeSink& sink) override {
    if (config_.name.starts_with("rules")) {
      const std::unique_ptr<Judge> rules = make_judge(config_);
      for (JudgeRequest& request : requests_) rules->submit(std::move(request));
      rules->run(stop, sink);
    } else {
      for (const JudgeRequest& request : requests_) {
        const std::vector<AttemptIntent> intents = {{{request.id, 1}, 0}};
        sink.before_send(intents);
        sink.finished(request.id, outcome());
      }
    }
    requests_.clear();
  }

 private:
  JudgeOutcome outcome() const {
    if (config_.name.starts_with("kind")) return Verdict{true, "Perfect."};
    if (config_.name.starts_with("harsh")) return Verdict{false, "It is never good enough."};
    return JudgeFailure{JudgeFailureKind::kUnusable, "the reply is empty"};
  }

  const AnnotatorConfig config_;
  std::vector<JudgeRequest> requests_;
};

class QuorumRoundTest : public RoundTest {
 protected:
  QuorumRoundTest() { script(); }
  void script() {
    daemon().judges = [](const AnnotatorConfig& config) { return std::make_unique<NamedJudge>(config); };
  }
  RunId start_with(const std::vector<Json>& annotators, const Json& quorum) {
    return start({{"annotators", annotators}, {"quorum", quorum}});
  }
  // Labels and texts of the round's judgments, by response.
  std::vector<std::string> judgments(RunId run, std::int64_t number = 1) {
    return daemon().read([&](Reader& reader) {
      const RoundId round = find_round(reader, run, number)->id;
      std::vector<std::string> labels;
      for (const Judgment& judgment : list_judgments(reader, round, frozen_annotator(*find_run(reader, run))))
        labels.push_back(judgment.state == JudgmentState::kDone ? judgment.text : judgment.failure);
      return labels;
    });
  }
  // What the rule annotator alone says of the same responses: a first round is the same in every run.
  std::vector<std::string> alone() {
    const TemporaryDirectory other(fast_folder());
    daemon_ = std::make_unique<OneDaemon>(other / "data", engine_, clock_, log_);
    const RunId run = start();
    work(run);
    std::vector<std::string> labels = judgments(run);
    daemon_.reset();
    open();
    return labels;
  }
  std::int64_t asked(RunId run, const std::string& name) {
    return daemon().read([&](Reader& reader) {
      const RoundId round = find_round(reader, run, 1)->id;
      const auto quorum = find_quorum(reader, frozen_annotator(*find_run(reader, run)));
      for (std::size_t i = 0; i < quorum->names.size(); ++i) {
        if (quorum->names[i] == name)
          return static_cast<std::int64_t>(list_judgments(reader, round, quorum->members[i]).size());
      }
      return std::int64_t{-1};
    });
  }
};

Json named(const std::string& name, const Json& more = Json::object()) {
  Json annotator{{"name", name}};
  annotator.update(more);
  return annotator;
}

TEST_F(QuorumRoundTest, AsksTheSecondWhereTheFirstFails) {
  const RunId run = start_with({named("broken"), named("rules"), named("kind")}, {{"rule", "fallback"}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(asked(run, "broken"), 4);
  EXPECT_EQ(asked(run, "rules"), 4);
  EXPECT_EQ(asked(run, "kind"), 0);
  EXPECT_THAT(daemon().check(), IsEmpty());
  const std::vector<std::string> by_quorum = judgments(run);
  EXPECT_EQ(by_quorum.size(), 4U);
  EXPECT_THAT(by_quorum, Each(::testing::Not(HasSubstr("empty"))));
}

TEST_F(QuorumRoundTest, FollowsTheMajority) {
  const RunId run = start_with({named("rules-a"), named("kind"), named("rules-b")}, {{"rule", "weighted"}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  const std::vector<std::string> by_quorum = judgments(run);
  EXPECT_EQ(asked(run, "kind"), 4);
  EXPECT_EQ(by_quorum, alone());
}

TEST_F(QuorumRoundTest, KeepsWhoseWordItIsAndWhatTheOthersSaid) {
  const RunId run = start_with({named("harsh"), named("kind"), named("harsh-too")}, {{"rule", "weighted"}});
  work_to(run, Phase::kTraining);
  daemon().read([&](Reader& reader) {
    const Round round = *find_round(reader, run, 1);
    for (const Judgment& judgment : list_judgments(reader, round.id, frozen_annotator(*find_run(reader, run)))) {
      EXPECT_EQ(judgment.text, "It is never good enough.");
      EXPECT_THAT(judgment.raw, AllOf(HasSubstr(R"({"annotator":"kind","vote":"positive"})"),
                                      HasSubstr(R"({"annotator":"harsh-too","vote":"negative"})")));
    }
    return 0;
  });
}

TEST_F(QuorumRoundTest, LetsTheRefereeSettleADisagreement) {
  const RunId run =
      start_with({named("kind"), named("harsh"), named("rules", {{"role", "referee"}})}, {{"rule", "weighted"}});
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(asked(run, "rules"), 4);
  EXPECT_THAT(judgments(run), ::testing::Not(::testing::Contains("It is never good enough.")));
}

TEST_F(QuorumRoundTest, LeavesADisagreementToPeopleAndLabelsNothing) {
  const RunId run = start_with({named("kind"), named("harsh")}, {{"rule", "weighted"}});
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("people: annotators disagree"));
  EXPECT_TRUE(engine_.trainings().empty());
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(QuorumRoundTest, GoesOnAfterARestartAtAnyStep) {
  const std::vector<Json> annotators = {named("broken"), named("rules"), named("kind", {{"role", "referee"}})};
  const Json quorum = {{"rule", "weighted"}, {"min_votes", 1}};
  const RunId undisturbed_run = start_with(annotators, quorum);
  work(undisturbed_run);
  const std::vector<std::string> expected = judgments(undisturbed_run);
  daemon_.reset();
  std::filesystem::remove_all(folder_ / "data");
  open();
  script();
  const RunId run = start_with(annotators, quorum);
  for (int i = 0; i < 400 && daemon().run(run).state == RunState::kActive; ++i) {
    daemon().step(run);
    daemon().judge();
    reopen();
    script();
  }
  EXPECT_EQ(daemon().run(run).state, RunState::kCompleted);
  EXPECT_EQ(judgments(run), expected);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(QuorumRoundTest, HoldsARoundWhoseAnnotatorsHardlyAgree) {
  const RunId run = start({{"annotators", {named("rules"), named("kind"), named("rules-too")}},
                           {"quorum", {{"rule", "weighted"}}},
                           {"alarms", {{"min_judgments", 4}, {"shared_run", 1}, {"kappa", 0.2}}}});
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("rules and kind agree on"));
}

TEST_F(QuorumRoundTest, ChecksItsConfiguration) {
  const auto refusal = [&](const std::vector<Json>& annotators, const Json& quorum) {
    return error_of(ErrorCode::kUsage, [&] { start_with(annotators, quorum); });
  };
  EXPECT_THAT(refusal({named("kind"), named("kind")}, {{"rule", "weighted"}}), HasSubstr("two annotators \"kind\""));
  EXPECT_THAT(refusal({named("kind"), named("harsh", {{"role", "referee"}})}, {{"rule", "fallback"}}),
              HasSubstr("referee"));
  EXPECT_THAT(refusal({named("kind"), named("harsh")}, {{"rule", "weighted"}, {"min_votes", 3}}),
              HasSubstr("min_votes"));
  const RunConfig config = files_.config({{"annotators", {named("kind", {{"weight", 2}}), named("harsh")}}});
  EXPECT_EQ(parse_run_config(run_config_json(config), "frozen").quorum.members.size(), 2U);
  EXPECT_EQ(parse_run_config(run_config_json(config), "frozen").quorum.members[0].weight, 2);
  EXPECT_EQ(config.judges_name(), "quorum of kind, harsh");
}

}  // namespace
}  // namespace cutd
