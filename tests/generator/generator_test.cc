#include "generator/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "generator/generation_run.h"
#include "support/golden.h"
#include "support/tiny_model.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

GeneratorOptions batch_of(std::int64_t size) {
  GeneratorOptions options;
  options.max_batch = size;
  return options;
}

SamplingConfig greedy(std::int64_t count) {
  SamplingConfig sampling;
  sampling.max_new_tokens = count;
  sampling.ignore_eos = true;
  return sampling;
}

SamplingConfig sampled(std::int64_t count) {
  SamplingConfig sampling = greedy(count);
  sampling.temperature = 1.3;
  sampling.top_p = 0.95;
  sampling.repetition_penalty = 1.1;
  return sampling;
}

// Prompts of different lengths, each with a seed of its own.
std::vector<GenerationPrompt> prompts_of(std::size_t count) {
  std::vector<GenerationPrompt> prompts;
  for (std::size_t i = 0; i < count; ++i)
    prompts.push_back({tiny_ids(3 + 5 * (i % 4), 40 + i), static_cast<std::int64_t>(i) * 11});
  return prompts;
}

bool same(const std::vector<Generation>& a, const std::vector<Generation>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].ids != b[i].ids || a[i].logprobs != b[i].logprobs || a[i].finish_reason != b[i].finish_reason)
      return false;
  }
  return a.size() == b.size();
}

class GeneratorTest : public ::testing::Test {
 protected:
  std::vector<Generation> generate(const std::vector<GenerationPrompt>& prompts, const SamplingConfig& sampling,
                                   std::int64_t batch = 32) {
    return Generator(weights_, nullptr, batch_of(batch)).generate(prompts, sampling, {});
  }

  const DecoderWeights weights_ = random_decoder_weights(tiny_model_config(), at::kFloat, at::kCPU, 5);
};

TEST_F(GeneratorTest, AnswersEveryPromptInItsPlaceWhenThereAreMorePromptsThanSlots) {
  const std::vector<GenerationPrompt> prompts = prompts_of(11);
  const std::vector<Generation> together = generate(prompts, greedy(9), 4);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(together[i].ids, generate({prompts[i]}, greedy(9))[0].ids) << "prompt " << i;
  }
}

TEST_F(GeneratorTest, GivesTheSameBitsAtEveryBatchSizeGreedyOrSampled) {
  const std::vector<GenerationPrompt> prompts = prompts_of(9);
  for (const SamplingConfig& sampling : {greedy(12), sampled(12)}) {
    const std::vector<Generation> alone = generate(prompts, sampling, 1);
    for (const std::int64_t batch : {2, 5, 32}) EXPECT_TRUE(same(generate(prompts, sampling, batch), alone)) << batch;
  }
}

// Prompts that begin alike, as a template makes them; the first is where the others branch off.
std::vector<GenerationPrompt> prompts_with_prefix(std::size_t count) {
  std::vector<GenerationPrompt> prompts(count, {tiny_ids(21, 7), 3});
  for (std::size_t i = 1; i < count; ++i) {
    const std::vector<std::int64_t> own = tiny_ids(2 + i, 60 + i);
    prompts[i].ids.insert(prompts[i].ids.end(), own.begin(), own.end());
    prompts[i].seed = static_cast<std::int64_t>(i);
  }
  return prompts;
}

TEST_F(GeneratorTest, RunsWhatAllPromptsBeginWithOnceAndAnswersWithTheSameBits) {
  const std::vector<GenerationPrompt> prompts = prompts_with_prefix(7);
  EXPECT_EQ(common_prefix(prompts), 20);
  for (const SamplingConfig& sampling : {greedy(12), sampled(12)}) {
    std::vector<Generation> alone;
    for (const GenerationPrompt& prompt : prompts) alone.push_back(generate({prompt}, sampling)[0]);
    GeneratorOptions options = batch_of(3);  // slots are used again
    for (const std::int64_t rows : {4, 20, 256}) {
      options.prefill_rows = rows;
      EXPECT_TRUE(same(Generator(weights_, nullptr, options).generate(prompts, sampling, {}), alone)) << rows;
    }
    options.arena_tokens = 40;  // one slot
    EXPECT_TRUE(same(Generator(weights_, nullptr, options).generate(prompts, sampling, {}), alone));
  }
}

TEST_F(GeneratorTest, RunsACommonPrefixOnceWithLibTorchsOperators) {
  const std::vector<GenerationPrompt> prompts = prompts_with_prefix(5);
  GeneratorOptions options = batch_of(2);
  options.decoder = DecoderKind::kOperators;
  const std::vector<Generation> answers = Generator(weights_, nullptr, options).generate(prompts, greedy(8), {});
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Generation alone = generate({prompts[i]}, greedy(8))[0];
    EXPECT_EQ(answers[i].ids, alone.ids);
    EXPECT_THAT(answers[i].logprobs, ::testing::Pointwise(::testing::DoubleNear(1e-4), alone.logprobs));
  }
}

TEST(CommonPrefixTest, LeavesEveryPromptARowOfItsOwn) {
  EXPECT_EQ(common_prefix(std::vector<GenerationPrompt>{{{5, 6, 7}, 0}}), 0) << "one prompt has it for itself";
  EXPECT_EQ(common_prefix(std::vector<GenerationPrompt>{{{5, 6, 7}, 0}, {{5, 6, 7}, 1}}), 2);
  EXPECT_EQ(common_prefix(std::vector<GenerationPrompt>{{{5, 6, 7, 8}, 0}, {{5, 6}, 1}, {{5, 6, 7, 9}, 1}}), 1);
  EXPECT_EQ(common_prefix(std::vector<GenerationPrompt>{{{5, 6, 7}, 0}, {{4, 6, 7}, 1}}), 0);
}

TEST_F(GeneratorTest, RepeatsAUnitExactly) {
  Generator generator(weights_, nullptr, batch_of(3));
  const std::vector<Generation> first = generator.generate(prompts_of(7), sampled(10), {});
  generator.generate(prompts_of(2), greedy(30), {});  // something else in between
  EXPECT_TRUE(same(generator.generate(prompts_of(7), sampled(10), {}), first));
}

TEST_F(GeneratorTest, DrawsByThePromptsSeedNotItsPlace) {
  std::vector<GenerationPrompt> prompts = {{tiny_ids(6, 1), 5}, {tiny_ids(6, 1), 6}, {tiny_ids(6, 1), 5}};
  const std::vector<Generation> answers = generate(prompts, sampled(16));
  EXPECT_EQ(answers[0].ids, answers[2].ids);
  EXPECT_NE(answers[0].ids, answers[1].ids);
}

TEST_F(GeneratorTest, ReportsLogProbabilitiesOfTheUnmodifiedModel) {
  const GenerationPrompt prompt{tiny_ids(8, 2), 3};
  Generator generator(weights_, nullptr, batch_of(1));
  const Generation answer = generator.generate(std::span(&prompt, 1), sampled(10), {})[0];
  ScoreSequence whole{prompt.ids, static_cast<std::int64_t>(prompt.ids.size())};
  whole.ids.insert(whole.ids.end(), answer.ids.begin(), answer.ids.end());
  const Score score = generator.score(std::span(&whole, 1), {})[0];
  EXPECT_THAT(answer.logprobs, ::testing::Pointwise(::testing::DoubleNear(1e-5), score.logprobs));
}

TEST_F(GeneratorTest, EndsAtAnyEndOfSequenceTokenAndKeepsIt) {
  const GenerationPrompt prompt{tiny_ids(8, 2), 0};
  const std::vector<std::int64_t> free_run = generate({prompt}, greedy(12))[0].ids;
  DecoderWeights weights = weights_;
  weights.config.eos_token_ids = {free_run[5], free_run[3]};
  const std::size_t end =
      static_cast<std::size_t>(std::find_if(free_run.begin(), free_run.end(),
                                            [&](std::int64_t id) { return id == free_run[5] || id == free_run[3]; }) -
                               free_run.begin());
  SamplingConfig sampling = greedy(12);
  sampling.ignore_eos = false;
  const Generation answer = Generator(weights, nullptr, batch_of(1)).generate(std::span(&prompt, 1), sampling, {})[0];
  EXPECT_EQ(answer.ids,
            std::vector<std::int64_t>(free_run.begin(), free_run.begin() + static_cast<std::ptrdiff_t>(end) + 1));
  EXPECT_EQ(answer.finish_reason, FinishReason::kStop);
  EXPECT_EQ(answer.logprobs.size(), answer.ids.size());
}

TEST_F(GeneratorTest, EndsForLengthWhereTheModelsPositionsEnd) {
  const GenerationPrompt prompt{tiny_ids(120, 2), 0};
  const Generation answer = generate({prompt}, greedy(50))[0];
  EXPECT_EQ(answer.ids.size(), 8U);  // of 128 positions
  EXPECT_EQ(answer.finish_reason, FinishReason::kLength);
}

TEST_F(GeneratorTest, NamesThePromptItCannotUse) {
  const auto refusal = [&](const std::vector<std::int64_t>& ids) -> std::string {
    try {
      generate({{{3, 4}, 0}, {ids, 0}}, greedy(4));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal({}), HasSubstr("prompt 2"));
  EXPECT_THAT(refusal({64}), HasSubstr("prompt 2: id 64"));
  EXPECT_THAT(refusal(tiny_ids(128, 1)), HasSubstr("prompt 2 has 128 ids"));
}

TEST_F(GeneratorTest, StopsWithinAStepWhenAsked) {
  std::stop_source source;
  Generator generator(weights_, nullptr, batch_of(2));
  std::int64_t steps = 0;
  const auto count = [&](const GenerationProgress&) {
    if (++steps == 3) source.request_stop();
  };
  try {
    generator.generate(prompts_of(4), greedy(50), source.get_token(), count);
    FAIL() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_EQ(steps, 3);
}

TEST_F(GeneratorTest, ReportsProgressToTheLastPrompt) {
  std::vector<GenerationProgress> seen;
  Generator(weights_, nullptr, batch_of(2)).generate(prompts_of(5), greedy(6), {}, [&](const GenerationProgress& now) {
    seen.push_back(now);
  });
  EXPECT_EQ(seen.back().finished, 5);
  EXPECT_EQ(seen.back().total, 5);
  EXPECT_EQ(seen.back().tokens, 30);
  EXPECT_GT(seen.back().tokens_per_second, 0);
}

TEST_F(GeneratorTest, ScoresASequenceInAnyCutAlike) {
  const ScoreSequence sequence{tiny_ids(100, 9), 60};
  GeneratorOptions narrow;
  narrow.prefill_rows = 7;
  narrow.max_batch = 1;
  const Score wide = Generator(weights_, nullptr, {}).score(std::span(&sequence, 1), {})[0];
  const Score cut = Generator(weights_, nullptr, narrow).score(std::span(&sequence, 1), {})[0];
  EXPECT_EQ(wide.logprobs.size(), 40U);
  EXPECT_EQ(cut.logprobs, wide.logprobs);
  EXPECT_EQ(cut.top, wide.top);
}

TEST_F(GeneratorTest, ScoresSequencesThatBeginAlikeAsIfAlone) {
  const std::vector<std::int64_t> shared = tiny_ids(30, 4);
  std::vector<ScoreSequence> sequences;
  for (const std::size_t length : {10, 4, 20, 1}) {
    std::vector<std::int64_t> ids = shared;
    const std::vector<std::int64_t> own = tiny_ids(length, length);
    ids.insert(ids.end(), own.begin(), own.end());
    sequences.push_back({ids, 30});
    sequences.push_back({ids, 12});                              // scores lie in the shared part
    sequences.push_back({{ids.begin(), ids.begin() + 20}, 20});  // nothing is asked
    sequences.push_back({{ids.begin(), ids.begin() + 25}, 5});   // a part of what was run
  }
  Generator generator(weights_, nullptr, {});
  const std::vector<Score> together = generator.score(sequences, {});
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Score alone = Generator(weights_, nullptr, {}).score(std::span(&sequences[i], 1), {})[0];
    EXPECT_EQ(together[i].logprobs, alone.logprobs) << i;
    EXPECT_EQ(together[i].top, alone.top) << i;
  }
}

TEST(GeneratorGoldenTest, GivesTheReferenceContinuationsAndLogProbabilities) {
  if (golden_folder().empty()) GTEST_SKIP() << "no golden data beside the checkout";
  for (const char* model : {"llama", "llama3-gqa"}) {
    const std::filesystem::path folder = golden_folder() / "models" / model;
    const DecoderWeights weights = load_decoder_weights(folder, at::kFloat, at::kCPU);
    const Json cases = read_json_file(folder / "cases.json")["cases"];
    std::vector<GenerationPrompt> prompts;
    for (const Json& one : cases) prompts.push_back({one["input_ids"].get<std::vector<std::int64_t>>(), 0});
    const std::vector<Generation> answers = Generator(weights, nullptr, batch_of(3)).generate(prompts, greedy(48), {});
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(answers[i].ids, cases[i]["greedy_48"].get<std::vector<std::int64_t>>())
          << model << " " << cases[i]["name"];
      EXPECT_THAT(answers[i].logprobs, ::testing::Pointwise(::testing::DoubleNear(1e-4),
                                                            cases[i]["greedy_48_logprobs"].get<std::vector<double>>()));
    }
  }
}

}  // namespace
}  // namespace cutd
