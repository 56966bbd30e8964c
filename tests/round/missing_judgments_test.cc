// Held-out answers that no judge gets done with: a few are left out of both sides, many fail the round.
#include "round/evaluation_work.h"
#include "round/read_snapshot.h"
#include "round/round_fixture.h"
#include "round/run_summary.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MissingJudgmentsTest : public RoundTest {
 protected:
  // The judge refuses the first answer of the candidate to the gate set, at every try.
  RunId start_with_one_missing(double max_missing_share) {
    const RunId run = start({{"evaluation", {{"max_missing_share", max_missing_share}}}});
    work_to(run, Phase::kEvaluating);
    while (!candidate()) daemon().step(run);
    daemon().write([&](Writer& writer) {
      const auto pending = list_pending_judgments(writer, *candidate(), AnnotatorId{1});
      fail_judgment(writer, pending.at(0).id, "unusable: the judge's answer is refused (content_filter)");
    });
    return run;
  }
  std::optional<EvaluationId> candidate() {
    return daemon().read([](Reader& reader) -> std::optional<EvaluationId> {
      const auto all = list_evaluations(reader);
      if (all.size() < 2 || list_responses(reader, all.back().id).empty()) return std::nullopt;
      return all.back().id;
    });
  }
};

TEST_F(MissingJudgmentsTest, AFewAreLeftOutOfBothSidesAndCounted) {
  const RunId run = start_with_one_missing(0.25);
  const EvaluationId evaluation = *candidate();
  EXPECT_EQ(work(run), RunState::kCompleted);
  daemon().read([&](Reader& reader) {
    const EvaluationSummary summary = evaluation_summary_of(find_evaluation(reader, evaluation)->summary);
    EXPECT_EQ(summary.missing, 1);
    EXPECT_EQ(summary.share.count, 3);  // no label was made of it
    EXPECT_EQ(list_evaluation_items(reader, evaluation).size(), 3U);
    const RoundSummary round = summarize_round(reader, find_round(reader, run, 1)->id, daemon().store.data_dir());
    EXPECT_THAT(round.reason, HasSubstr("1 of 4 pairs are left out"));
    EXPECT_EQ(round_summary_json(round).at("gate").at("missing"), 1);
    EXPECT_EQ(round_summary_json(round).at("gate_parent").at("missing"), 0);
  });
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(MissingJudgmentsTest, MoreThanTheShareFailTheRoundAndSayWhy) {
  const RunId run = start_with_one_missing(0.2);
  EXPECT_EQ(work(run), RunState::kFailed);
  EXPECT_THAT(
      daemon().round(run).reason,
      HasSubstr("1 of 4 judgments of the candidate on the held-out set failed, more than "
                "evaluation.max_missing_share (0.2) lets go, for example: unusable: the judge's answer is refused"));
}

}  // namespace
}  // namespace cutd
