#include "trainer/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PackingTest : public ::testing::Test {
 protected:
  void add(ExampleKind kind, std::size_t plain, std::size_t judged, std::size_t response) {
    TrainingExample example;
    example.kind = kind;
    example.prompt_ids.resize(plain);
    example.prompt_judge_ids.resize(judged);
    example.response_ids.resize(response);
    examples_.push_back(example);
  }
  StepPacks plan(std::int64_t budget) const {
    std::vector<const TrainingExample*> step;
    for (const TrainingExample& example : examples_) step.push_back(&example);
    return plan_packs(objective_, step, budget);
  }
  // "0p 0j | 1p": examples and contexts, packs divided.
  static std::string text(const std::vector<Pack>& packs) {
    std::string result;
    for (const Pack& pack : packs) {
      if (!result.empty()) result += "| ";
      for (const PackRow& row : pack.rows) result += std::to_string(row.example) + (row.judged ? "j " : "p ");
    }
    return result;
  }

  ObjectiveConfig objective_;
  std::vector<TrainingExample> examples_;
};

TEST_F(PackingTest, FillsPacksUpToTheBudgetInOrder) {
  for (int i = 0; i < 4; ++i) add(ExampleKind::kAlignP, 6, 0, 4);
  const StepPacks packs = plan(25);
  EXPECT_EQ(text(packs.gradients), "0p 1p | 2p 3p ");
  EXPECT_EQ(packs.gradients[0].tokens, 20);
  EXPECT_THAT(packs.values, IsEmpty());
}

TEST_F(PackingTest, TheTwoContextsOfACriticisedResponseStayTogether) {
  add(ExampleKind::kAlignP, 5, 0, 5);
  add(ExampleKind::kAlignN, 5, 8, 5);
  add(ExampleKind::kAlignN, 5, 8, 5);
  EXPECT_EQ(text(plan(33).gradients), "0p 1p 1j | 2p 2j ");
  EXPECT_EQ(text(plan(32).gradients), "0p | 1p 1j | 2p 2j ");
}

TEST_F(PackingTest, AnOversizedExampleRunsAlone) {
  add(ExampleKind::kAlignP, 5, 0, 5);
  add(ExampleKind::kAlignN, 50, 80, 5);
  add(ExampleKind::kAlignP, 5, 0, 5);
  EXPECT_EQ(text(plan(20).gradients), "0p | 1p 1j | 2p ");
}

TEST_F(PackingTest, AJudgedContextWithoutWeightRunsFirstWithoutGradient) {
  objective_.align_n_weight = 0;
  add(ExampleKind::kAlignN, 5, 8, 5);
  add(ExampleKind::kAlignP, 5, 0, 5);
  add(ExampleKind::kAlignN, 5, 8, 5);
  const StepPacks packs = plan(30);
  EXPECT_EQ(text(packs.values), "0j 2j ");
  EXPECT_EQ(text(packs.gradients), "0p 1p 2p ");
}

TEST_F(PackingTest, ContextsNobodyNeedsDoNotRun) {
  objective_.align_p_weight = 0;
  objective_.alpha = 0;
  objective_.misalign_weight = 0;
  add(ExampleKind::kAlignP, 5, 0, 5);
  add(ExampleKind::kAlignN, 5, 8, 5);
  EXPECT_EQ(text(plan(100).gradients), "1j ");
}

TEST_F(PackingTest, ASmallerBudgetDividesTheLargestPackUntilExamplesAreAlone) {
  for (int i = 0; i < 5; ++i) add(ExampleKind::kAlignN, 5, 8, 5);
  std::int64_t budget = 1000;
  std::vector<std::size_t> packs;
  while (budget > 0) {
    const StepPacks planned = plan(budget);
    packs.push_back(planned.gradients.size());
    budget = smaller_budget(planned);
  }
  EXPECT_THAT(packs, ElementsAre(1, 3, 5));
}

}  // namespace
}  // namespace cutd
