// The objective and the head's softmax on the golden bare logits (golden README, "cut-loss"): losses, token sets,
// weights and the gradient at the logits, c_t (onehot - softmax), for every style and setting.
#include <ATen/ATen.h>

#include <cmath>

#include "model/training_ops.h"
#include "trainer/objective.h"
#include "trainer/training_support.h"
#include "weights/safetensors.h"

namespace cutd {
namespace {

// One context's logits as the head hands them over.
struct Context {
  TokenLogProbs values;
  at::Tensor difference;  // onehot - softmax, [tokens, vocabulary]

  Context(const at::Tensor& given, const at::Tensor& labels) {
    at::Tensor logits = given.clone();
    const auto tokens = static_cast<std::size_t>(logits.size(0));
    values.log_p.resize(tokens);
    values.log_not_p.resize(tokens);
    difference = logits;
    training_ops::softmax_difference(logits, labels, values.log_p.data(), values.log_not_p.data(), difference);
  }

  at::Tensor gradient(const std::vector<float>& coefficients) const {
    if (coefficients.empty()) return at::zeros_like(difference);
    return difference * at::tensor(coefficients, at::kFloat).unsqueeze(1);
  }
};

class ObjectiveParityTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::filesystem::path golden = golden_folder();
    if (golden.empty()) GTEST_SKIP() << "no golden data beside the checkout";
    tensors_ = std::make_unique<SafetensorsFile>(golden / "cut-loss/bare_logits.safetensors");
    record_ = read_json_file(golden / "cut-loss/bare_logits.json");
  }

  at::Tensor tensor(const std::string& name) const {
    const TensorView& view = tensors_->at(name);
    const at::ScalarType type = view.dtype == DType::kI64 ? at::kLong : at::kFloat;
    return at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, at::TensorOptions().dtype(type))
        .clone();
  }

  static ObjectiveConfig config_of(const Json& settings) {
    ObjectiveConfig config;
    config.variant = settings.contains("threshold") ? "released" : "paper";
    config.lambda = json_get_or(settings, "threshold", json_get_or(settings, "lambda", config.lambda, ""), "");
    config.alpha = json_get_or(settings, "weight_unlike", json_get_or(settings, "alpha", config.alpha, ""), "");
    config.gamma = json_get_or(settings, "gamma", config.gamma, "");
    config.detection = json_get_or(settings, "detect", true, "");
    return config;
  }

  // The reference takes a label's entry as the difference of two fp32 numbers as large as dL/dp: for a token of
  // p = 1 - 6e-7 that has three or four bits left. Ours comes from the sum of the other exponentials. So `extreme`,
  // which has such a token, is compared to within what fp32 resolves at dL/dp.
  void compare_gradient(const std::string& name, const Context& context, const std::vector<float>& coefficients) const {
    if (tensors_->find(name) == nullptr) return;
    const at::Tensor expected = tensor(name);
    const at::Tensor error = (context.gradient(coefficients) - expected).abs();
    const double largest = expected.abs().max().item<double>();
    for (std::int64_t t = 0; t < error.size(0); ++t) {
      double tolerance = 1e-4 * largest + 1e-12;
      const auto token = static_cast<std::size_t>(t);
      const double p = std::exp(context.values.log_p[token]);
      if (GetParam() == "extreme" && p > 0.999) tolerance += std::abs(coefficients[token] / p) * 0x1p-24;
      EXPECT_LE(error[t].max().item<double>(), tolerance) << name << " token " << t;
    }
  }

  void compare_case(const Json& one) const {
    const std::string name = one.at("name").get<std::string>();
    SCOPED_TRACE(name);
    const ObjectiveConfig config = config_of(one.at("settings"));
    const at::Tensor labels = tensor(GetParam() + ".labels");
    const Context plain(tensor(GetParam() + ".logits_plain"), labels);
    const Context judged(tensor(GetParam() + ".logits_judge"), labels);
    const ExampleLogProbs log_probs{ExampleKind::kAlignN, plain.values, judged.values};
    const Constants constants = detect(config, log_probs);
    EXPECT_EQ(std::vector<int>(constants.detected.begin(), constants.detected.end()),
              one.at("U").get<std::vector<int>>());
    if (one.contains("weight")) {
      for (std::size_t t = 0; t < constants.unlikelihood_weight.size(); ++t) {
        const double weight = one.at("weight").at(t).get<double>();
        EXPECT_NEAR(constants.unlikelihood_weight[t], weight, 1e-5 * weight + 1e-12) << t;
      }
    }
    const std::size_t tokens = log_probs.plain.log_p.size();
    LossScales scales = loss_scales(config, std::vector<ExampleShape>{{ExampleKind::kAlignN, tokens, 1}}, 1)[0];
    // The likelihood of a token without any probability is infinite in the released code: its total leaves it out.
    if (GetParam() == "extreme") scales = {0, 1 / static_cast<double>(tokens)};
    const ExampleLoss loss = example_loss(config, log_probs, constants, scales);
    expect_term(one, config.variant == "paper" ? "L1" : "unlike", loss.unlikelihood_term);
    if (GetParam() != "extreme") expect_term(one, config.variant == "paper" ? "L2" : "like", loss.likelihood_term);
    expect_term(one, "total", loss.loss);
    compare_gradient(name + ".grad_plain", plain, loss.gradient_plain);
    compare_gradient(name + ".grad_judge", judged, loss.gradient_judged);
  }
  static void expect_term(const Json& one, const char* key, double value) {
    const double expected = json_get<double>(one, key, "bare_logits.json");
    EXPECT_NEAR(value, expected, 1e-5 * std::abs(expected)) << key;
  }

  std::unique_ptr<SafetensorsFile> tensors_;
  Json record_;
};

TEST_P(ObjectiveParityTest, LossSetAndGradientAreTheRecordedOnes) {
  std::size_t compared = 0;
  for (const Json& one : record_.at("cases")) {
    if (one.at("logits") != GetParam()) continue;
    compare_case(one);
    ++compared;
  }
  EXPECT_GE(compared, 3U);
}

INSTANTIATE_TEST_SUITE_P(Styles, ObjectiveParityTest, ::testing::Values("smooth", "sharp", "ties", "extreme"),
                         [](const auto& style) { return std::string(style.param); });

}  // namespace
}  // namespace cutd
