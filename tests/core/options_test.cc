#include "core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/train_config.h"
#include "core/yaml.h"

namespace cutd {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() { declare_train_options(table_, config_); }
  void load(const std::string& yaml) { table_.load(parse_yaml(yaml, "train.yaml"), "train.yaml"); }

  TrainConfig config_;
  OptionTable table_;
};

TEST_F(OptionsTest, SetsNestedKeys) {
  load("train:\n  learning_rate: 1e-3\n  seed: 7\nlora:\n  target_modules: [q_proj]\n");
  EXPECT_EQ(config_.learning_rate, 1e-3);
  EXPECT_EQ(config_.seed, 7);
  EXPECT_EQ(config_.lora.target_modules, std::vector<std::string>{"q_proj"});
}

TEST_F(OptionsTest, NamesAnUnknownKeyAndTheNearestOne) {
  EXPECT_EQ(message_of([&] { load("train:\n  learning_rat: 1\n"); }),
            "train.yaml: unknown key \"train.learning_rat\" (did you mean \"train.learning_rate\"?)");
}

TEST_F(OptionsTest, RefusesADuplicateKey) {
  EXPECT_THAT(message_of([&] { load("train:\n  seed: 1\n  seed: 2\n"); }), ::testing::HasSubstr("duplicate"));
}

TEST_F(OptionsTest, RefusesAWrongTypeAndKeepsTheOldValue) {
  EXPECT_EQ(message_of([&] { load("train:\n  seed: \"x\"\n"); }),
            "train.yaml: key \"train.seed\" takes an integer, not \"x\"");
  EXPECT_EQ(config_.seed, 42);
}

TEST_F(OptionsTest, RefusesAValueOutsideItsRange) {
  EXPECT_EQ(message_of([&] { load("lora:\n  dropout: 2\n"); }),
            "train.yaml: key \"lora.dropout\" must lie in [0.0, 0.99], not 2");
  EXPECT_EQ(config_.lora.dropout, 0.05);
}

TEST_F(OptionsTest, AcceptsTheAuthorsNamesAsAliases) {
  load("objective:\n  threshold: 1.2\n  weight_unlike: 0.5\n");
  EXPECT_EQ(config_.objective.lambda, 1.2);
  EXPECT_EQ(config_.objective.alpha, 0.5);
}

TEST_F(OptionsTest, ReadsFlagsAsText) {
  table_.set_text("train.learning_rate", "2e-5", "--learning-rate");
  table_.set_text("objective.detection", "false", "--detection");
  table_.set_text("lora.target_modules", "q_proj,v_proj", "--target-modules");
  EXPECT_EQ(config_.learning_rate, 2e-5);
  EXPECT_FALSE(config_.objective.detection);
  EXPECT_EQ(config_.lora.target_modules.size(), 2U);
}

TEST_F(OptionsTest, EffectiveConfigurationLoadsBackUnchanged) {
  load("train:\n  seed: 9\n");
  const Json shown = table_.effective();
  TrainConfig other;
  OptionTable again;
  declare_train_options(again, other);
  again.load(shown, "shown");
  EXPECT_EQ(again.effective(), shown);
}

}  // namespace
}  // namespace cutd
