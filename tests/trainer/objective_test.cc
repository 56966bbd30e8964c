// The objective on given log-probabilities: values worked out by hand, the rules at the edges, and its derivative
// against differences of the loss.
#include "trainer/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cutd {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

TokenLogProbs from_probabilities(const std::vector<double>& probabilities) {
  TokenLogProbs values;
  for (const double p : probabilities) {
    values.log_p.push_back(static_cast<float>(std::log(p)));
    values.log_not_p.push_back(static_cast<float>(std::log1p(-p)));
  }
  return values;
}

ExampleLogProbs negative(const std::vector<double>& plain, const std::vector<double>& judged) {
  return {ExampleKind::kAlignN, from_probabilities(plain), from_probabilities(judged)};
}

ExampleLogProbs positive(const std::vector<double>& plain) {
  return {ExampleKind::kAlignP, from_probabilities(plain), {}};
}

ObjectiveConfig paper() { return {}; }
ObjectiveConfig released() {
  ObjectiveConfig config;
  config.variant = "released";
  return config;
}

ExampleShape shape_of(const ExampleLogProbs& values, double weight = 1) {
  return {values.kind, values.plain.log_p.size(), weight};
}

// The loss of a step of these examples.
std::vector<ExampleLoss> losses_of(const ObjectiveConfig& config, const std::vector<ExampleLogProbs>& step,
                                   std::size_t micro_batch_size = 1) {
  std::vector<ExampleShape> shapes;
  for (const ExampleLogProbs& example : step) shapes.push_back(shape_of(example));
  const std::vector<LossScales> scales = loss_scales(config, shapes, micro_batch_size);
  std::vector<ExampleLoss> losses;
  for (std::size_t i = 0; i < step.size(); ++i)
    losses.push_back(example_loss(config, step[i], detect(config, step[i]), scales[i]));
  return losses;
}

double total(const std::vector<ExampleLoss>& losses) {
  double sum = 0;
  for (const ExampleLoss& loss : losses) sum += loss.loss;
  return sum;
}

// Only the second token is more than 1.1 times as likely with the judgment.
const std::vector<double> kPlain = {0.5, 0.2, 0.9};
const std::vector<double> kJudged = {0.5, 0.4, 0.95};
const double kLikelihoodGivenJudgment = -(std::log(0.5) + std::log(0.4) + std::log(0.95)) / 3;

TEST(ObjectiveTest, PaperAddsMisalignAndLikelihoodGivenTheJudgment) {
  const ExampleLogProbs values = negative(kPlain, kJudged);
  EXPECT_THAT(detect(paper(), values).detected, ElementsAre(0, 1, 0));
  const std::vector<ExampleLoss> losses = losses_of(paper(), {values});
  const double misalign = -(std::log(0.5) + 0.4 * std::log(0.8) + std::log(0.9)) / 3;
  EXPECT_NEAR(losses[0].unlikelihood_term, misalign, 1e-6);
  EXPECT_NEAR(losses[0].likelihood_term, kLikelihoodGivenJudgment, 1e-6);
  EXPECT_NEAR(losses[0].loss, misalign + kLikelihoodGivenJudgment, 1e-6);
  EXPECT_THAT(losses[0].gradient_judged, Each(::testing::FloatNear(-1.0F / 3, 1e-6F)));
  ASSERT_EQ(losses[0].gradient_plain.size(), 3U);
  EXPECT_NEAR(losses[0].gradient_plain[1], 0.4 * 0.2 / 0.8 / 3, 1e-6);
}

TEST(ObjectiveTest, ReleasedHalvesTheTwoTermsOfANegative) {
  const std::vector<ExampleLoss> losses = losses_of(released(), {negative(kPlain, kJudged)});
  const double unlike = -(std::log(0.5) + std::log(0.8) + std::log(0.9)) / 3;
  EXPECT_NEAR(losses[0].unlikelihood_term, unlike, 1e-6);
  EXPECT_NEAR(losses[0].loss, (unlike + kLikelihoodGivenJudgment) / 2, 1e-6);
}

TEST(ObjectiveTest, DynamicWeightAndAlphaScaleDetectedTokensOnly) {
  ObjectiveConfig config = paper();
  config.alpha = 0.25;
  config.gamma = 2;
  const ExampleLoss loss = losses_of(config, {negative(kPlain, kJudged)})[0];
  EXPECT_NEAR(loss.unlikelihood_term, -(std::log(0.5) + 0.25 * 0.16 * std::log(0.8) + std::log(0.9)) / 3, 1e-6);
}

TEST(ObjectiveTest, PaperAveragesOverExamplesWhateverTheirLength) {
  const double loss = total(losses_of(paper(), {positive({0.5, 0.5, 0.5, 0.5}), positive({0.25})}));
  EXPECT_NEAR(loss, (std::log(2.0) + std::log(4.0)) / 2, 1e-6);
}

TEST(ObjectiveTest, ReleasedAveragesOverTheTokensOfAMicroBatch) {
  const std::vector<ExampleLogProbs> step = {positive({0.5, 0.5, 0.5, 0.5}), positive({0.25})};
  EXPECT_NEAR(total(losses_of(released(), step, 2)), (4 * std::log(2.0) + std::log(4.0)) / 5, 1e-6);
  EXPECT_NEAR(total(losses_of(released(), step, 1)), (std::log(2.0) + std::log(4.0)) / 2, 1e-6);
}

TEST(ObjectiveTest, ANegativeHalvesEveryTermOfItsReleasedMicroBatch) {
  const std::vector<ExampleLogProbs> step = {positive({0.25}), negative(kPlain, kJudged)};
  const double like = (std::log(4.0) + 3 * kLikelihoodGivenJudgment) / 4;
  const double unlike = -(std::log(0.5) + std::log(0.8) + std::log(0.9)) / 3;
  EXPECT_NEAR(total(losses_of(released(), step, 2)), (like + unlike) / 2, 1e-6);
}

TEST(ObjectiveTest, WithGammaZeroPaperCountsANegativeTwiceAsReleasedDoes) {
  ObjectiveConfig config = paper();
  config.gamma = 0;
  const std::vector<ExampleLogProbs> step = {negative(kPlain, kJudged)};
  EXPECT_NEAR(total(losses_of(config, step)), 2 * total(losses_of(released(), step)), 1e-6);
}

TEST(ObjectiveTest, TheComparisonIsStrict) {
  for (ObjectiveConfig config : {paper(), released()}) {
    config.lambda = 1;
    EXPECT_THAT(detect(config, negative({0.3, 0.7}, {0.3, 0.7})).detected, ElementsAre(0, 0)) << config.variant;
  }
}

TEST(ObjectiveTest, ReleasedRatioOfVanishedProbabilitiesMayBeInfiniteOrNan) {
  ExampleLogProbs values = negative({0.5, 0.5}, {0.5, 0.5});
  values.plain.log_p = {-200, -200};  // exp underflows to 0
  values.judged.log_p = {-1, -200};
  EXPECT_TRUE(std::isinf(judged_to_plain_ratio(released(), values)[0]));
  EXPECT_TRUE(std::isnan(judged_to_plain_ratio(released(), values)[1]));
  EXPECT_THAT(detect(released(), values).detected, ElementsAre(1, 0));
}

TEST(ObjectiveTest, ExactZerosGetTheAuthorsConstant) {
  ExampleLogProbs values = negative({0.5, 0.5}, {0.5, 0.5});
  values.plain.log_p = {0, -200};  // p = 1 in U; p = 0 outside
  values.plain.log_not_p = {kMinusInfinity, 0};
  values.judged.log_p = {0, -200};
  ObjectiveConfig config = released();
  config.lambda = 0.5;
  const Constants constants = detect(config, values);
  ASSERT_THAT(constants.detected, ElementsAre(1, 0));
  const ExampleLoss loss = example_loss(config, values, constants, {0, 0.5});
  EXPECT_NEAR(loss.unlikelihood_term, -std::log(1e-5), 1e-5);
  EXPECT_NEAR(loss.gradient_plain[0], 0.5 / 1e-5, 1);
  EXPECT_EQ(loss.gradient_plain[1], 0);  // no probability, no gradient

  const ExampleLoss exact = example_loss(paper(), values, detect(paper(), values), {0, 0.5});
  EXPECT_TRUE(std::isfinite(exact.loss));
}

TEST(ObjectiveTest, PaperUsesTheProbabilityOfTheOthersForConfidentTokens) {
  ExampleLogProbs values = negative({0.5}, {0.9});
  values.plain.log_p = {-1e-12F};  // rounds to p = 1; its complement is known all the same
  values.plain.log_not_p = {std::log(1e-12F)};
  const ExampleLoss loss = example_loss(paper(), values, {{1}, {1.0}}, {0, 1});
  EXPECT_NEAR(loss.loss, -std::log(1e-12), 1e-4);
  EXPECT_NEAR(loss.gradient_plain[0], 1e12, 1e7);
}

TEST(ObjectiveTest, WithoutDetectionEveryTokenIsInTheSet) {
  ObjectiveConfig config = paper();
  config.detection = false;
  EXPECT_THAT(detect(config, negative(kPlain, kJudged)).detected, ElementsAre(1, 1, 1));
}

TEST(ObjectiveTest, AlphaZeroLeavesOnlyTheLikelihoodOutsideTheSet) {
  ObjectiveConfig config = paper();
  config.alpha = 0;
  const ExampleLoss loss = losses_of(config, {negative(kPlain, kJudged)})[0];
  EXPECT_NEAR(loss.unlikelihood_term, -(std::log(0.5) + std::log(0.9)) / 3, 1e-6);
  EXPECT_EQ(loss.gradient_plain[1], 0);
}

TEST(ObjectiveTest, WeightsSwitchTheirOwnTermsOff) {
  ObjectiveConfig config = paper();
  config.align_p_weight = 0;
  EXPECT_EQ(losses_of(config, {positive({0.5})})[0].loss, 0);
  EXPECT_THAT(losses_of(config, {positive({0.5})})[0].gradient_plain, IsEmpty());

  config = paper();
  config.align_n_weight = 0;
  const ExampleLoss without_judged = losses_of(config, {negative(kPlain, kJudged)})[0];
  EXPECT_NEAR(without_judged.loss, without_judged.unlikelihood_term, 1e-9);
  EXPECT_THAT(without_judged.gradient_judged, IsEmpty());

  config = paper();
  config.misalign_weight = 0;
  config.alpha = 0;
  const ExampleLoss without_misalign = losses_of(config, {negative(kPlain, kJudged)})[0];
  EXPECT_NEAR(without_misalign.loss, kLikelihoodGivenJudgment, 1e-6);
  EXPECT_THAT(without_misalign.gradient_plain, IsEmpty());
}

TEST(ObjectiveTest, AnExamplesWeightMultipliesItsTerms) {
  for (const ObjectiveConfig& config : {paper(), released()}) {
    const ExampleLogProbs values = negative(kPlain, kJudged);
    const LossScales once = loss_scales(config, std::vector{shape_of(values)}, 1)[0];
    const LossScales thrice = loss_scales(config, std::vector{shape_of(values, 3)}, 1)[0];
    EXPECT_DOUBLE_EQ(thrice.likelihood, 3 * once.likelihood) << config.variant;
    EXPECT_DOUBLE_EQ(thrice.unlikelihood, 3 * once.unlikelihood) << config.variant;
  }
}

TEST(ObjectiveTest, MleTakesSatisfactoryExamplesOnly) {
  ObjectiveConfig config;
  config.name = "mle";
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).plain, ContextUse::kNone);
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).judged, ContextUse::kNone);
  EXPECT_NEAR(total(losses_of(config, {positive({0.5, 0.125})})), (std::log(2.0) + std::log(8.0)) / 2, 1e-6);
}

TEST(ObjectiveTest, AContextIsOnlyRunForWhatItIsNeededFor) {
  ObjectiveConfig config = paper();
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignP).judged, ContextUse::kNone);
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).judged, ContextUse::kGradient);
  config.align_n_weight = 0;
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).judged, ContextUse::kValues);
  config.detection = false;  // the dynamic weight still needs its values
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).judged, ContextUse::kValues);
  config.gamma = 0;
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).judged, ContextUse::kNone);
  config.alpha = 0;
  config.misalign_weight = 0;
  EXPECT_EQ(context_uses(config, ExampleKind::kAlignN).plain, ContextUse::kNone);
}

// Moves log p of one token and keeps its complement consistent.
ExampleLogProbs moved(ExampleLogProbs values, bool judged, std::size_t token, float by) {
  TokenLogProbs& context = judged ? values.judged : values.plain;
  context.log_p[token] += by;
  context.log_not_p[token] = static_cast<float>(std::log1p(-std::exp(static_cast<double>(context.log_p[token]))));
  return values;
}

TEST(ObjectiveTest, DerivativesAreThoseOfTheLossWithItsConstantsHeldFixed) {
  const ExampleLogProbs values = negative({0.5, 0.2, 0.9, 0.05, 0.6}, {0.5, 0.4, 0.95, 0.5, 0.1});
  std::vector<ObjectiveConfig> configs = {paper(), released(), paper(), released()};
  configs[2].alpha = 0.5;
  configs[2].gamma = 2;
  configs[2].misalign_weight = 0.3;
  configs[2].align_n_weight = 0.7;
  configs[3].detection = false;
  constexpr float kStep = 1.0F / 256;
  for (const ObjectiveConfig& config : configs) {
    const Constants constants = detect(config, values);
    const LossScales scales = loss_scales(config, std::vector{shape_of(values)}, 1)[0];
    const ExampleLoss loss = example_loss(config, values, constants, scales);
    for (const bool judged : {false, true}) {
      const std::vector<float>& gradient = judged ? loss.gradient_judged : loss.gradient_plain;
      ASSERT_EQ(gradient.size(), values.plain.log_p.size());
      for (std::size_t t = 0; t < gradient.size(); ++t) {
        const double above = example_loss(config, moved(values, judged, t, kStep), constants, scales).loss;
        const double below = example_loss(config, moved(values, judged, t, -kStep), constants, scales).loss;
        EXPECT_NEAR((above - below) / (2 * kStep), gradient[t], 1e-3 * std::abs(gradient[t]) + 1e-5)
            << config.variant << (judged ? " judged " : " plain ") << t;
      }
    }
  }
}

}  // namespace
}  // namespace cutd
