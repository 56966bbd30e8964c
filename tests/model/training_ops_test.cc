// The fused CPU kernels of training against the same operations as compositions of LibTorch operators, which are what
// a GPU runs; and the attention's gradient against LibTorch's own differentiation.
#include "model/training_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "model/training_ops_generic.h"

namespace cutd {
namespace {

namespace ops = training_ops;

class TrainingOpsTest : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  TrainingOpsTest() { at::manual_seed(11); }

  at::Tensor random(at::IntArrayRef sizes) const { return at::randn(sizes).to(GetParam()); }
  at::Tensor zeros(at::IntArrayRef sizes) const { return at::zeros(sizes, GetParam()); }
  // Rounding of the type: bf16 has 8 bits, and an operator may round once more or less than a kernel.
  double tolerance() const { return GetParam() == at::kFloat ? 2e-5 : 3e-2; }

  void expect_near(const at::Tensor& kernel, const at::Tensor& reference) const {
    const double scale = std::max(1.0, reference.to(at::kFloat).abs().max().item<double>());
    EXPECT_LT((kernel.to(at::kFloat) - reference.to(at::kFloat)).abs().max().item<double>() / scale, tolerance());
  }
};

TEST_P(TrainingOpsTest, NormalisesAndItsGradient) {
  const at::Tensor x = random({5, 37});
  const at::Tensor weight = random({37});
  at::Tensor y = zeros({5, 37}), inverse = at::zeros({5}), sum = at::ones({5, 37});
  at::Tensor y2 = zeros({5, 37}), inverse2 = at::zeros({5}), sum2 = at::ones({5, 37});
  ops::rms_norm(x, weight, 1e-5, y, inverse);
  ops::generic::rms_norm(x, weight, 1e-5, y2, inverse2);
  expect_near(y, y2);
  expect_near(inverse, inverse2);
  const at::Tensor dy = random({5, 37});
  ops::rms_norm_backward(x, weight, inverse, dy, sum);
  ops::generic::rms_norm_backward(x, weight, inverse2, dy, sum2);
  expect_near(sum, sum2);
}

TEST_P(TrainingOpsTest, GatesAndItsGradient) {
  at::Tensor gate_up = random({4, 2 * 29}), y = zeros({4, 29});
  at::Tensor gate_up2 = gate_up.clone(), y2 = zeros({4, 29});
  ops::silu_multiply(gate_up, y);
  ops::generic::silu_multiply(gate_up2, y2);
  expect_near(y, y2);
  const at::Tensor dy = random({4, 29});
  ops::silu_multiply_backward(gate_up, dy);
  ops::generic::silu_multiply_backward(gate_up2, dy);
  expect_near(gate_up, gate_up2);
}

TEST_P(TrainingOpsTest, RotatesThereAndBack) {
  const at::Tensor angles = at::rand({9, 5}) * 3;
  const ops::RotaryPositions rotary{angles.cos(), angles.sin(), at::tensor({0, 1, 2, 0, 7}, at::kLong)};
  const at::Tensor start = random({5, 4 * 10});
  at::Tensor x = start.clone(), x2 = start.clone();
  ops::rotate(x, 3, rotary, 1);  // the fourth head stays
  ops::generic::rotate(x2, 3, rotary, 1);
  expect_near(x, x2);
  EXPECT_TRUE(x.narrow(1, 30, 10).equal(start.narrow(1, 30, 10)));
  ops::rotate(x, 3, rotary, -1);
  expect_near(x, start);
}

TEST_P(TrainingOpsTest, GivesBothLogarithmsAndTheDifference) {
  const at::Tensor logits = at::randn({6, 101}) * 4;
  const at::Tensor labels = at::tensor({0, 100, 5, 17, 17, 60}, at::kLong);
  at::Tensor one = logits.clone(), two = logits.clone();
  at::Tensor difference = zeros({6, 101}), difference2 = zeros({6, 101});
  std::vector<float> p(6), q(6), p2(6), q2(6);
  ops::softmax_difference(one, labels, p.data(), q.data(), difference);
  ops::generic::softmax_difference(two, labels, p2.data(), q2.data(), difference2);
  expect_near(difference, difference2);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(p[i], p2[i], 2e-5);
    EXPECT_NEAR(q[i], q2[i], 2e-5);
    EXPECT_NEAR(std::exp(p[i]) + std::exp(q[i]), 1, 1e-5);
  }
}

TEST_P(TrainingOpsTest, DropsTheSameElementsInBothDirections) {
  ops::DropoutMask mask;
  mask.probability = 0.3;
  mask.key = 0x1234567890ABCDEFULL;
  mask.module = 77;
  mask.positions = {0, 1, 2, 0};
  mask.sequences = {4, 4, 4, 9};
  mask.positions_tensor = at::tensor({0, 1, 2, 0}, at::kLong);
  mask.sequences_tensor = at::tensor({4, 4, 4, 9}, at::kLong);
  const at::Tensor x = random({4, 53});
  at::Tensor y = zeros({4, 53}), y2 = zeros({4, 53}), sum = zeros({4, 53});
  ops::dropout(x, mask, y);
  ops::generic::dropout(x, mask, y2);
  EXPECT_TRUE(y.eq(0).equal(y2.eq(0)));
  expect_near(y, y2);
  ops::dropout_backward(x, mask, sum);
  EXPECT_TRUE(sum.eq(0).equal(y.eq(0)));
  const double dropped = y.eq(0).to(at::kFloat).mean().item<double>();
  EXPECT_GT(dropped, 0.15);
  EXPECT_LT(dropped, 0.45);
}

// Grouped heads, a head size that is no multiple of a vector, sequences of a single token and of many.
ops::AttentionShape three_sequences() { return {6, 2, 10, {1, 33, 14}, {}}; }

TEST_P(TrainingOpsTest, AttendsWithinEachSequence) {
  const ops::AttentionShape shape = three_sequences();
  const at::Tensor qkv = random({48, 100});
  at::Tensor out = zeros({48, 60}), sums = at::zeros({6, 48}), out2 = zeros({48, 60}), sums2 = at::zeros({6, 48});
  ops::attention(qkv, shape, out, sums);
  ops::generic::attention(qkv, shape, out2, sums2);
  expect_near(out, out2);
  expect_near(sums, sums2);
  at::Tensor changed = qkv.clone();
  changed.narrow(0, 34, 14).add_(1);  // the last sequence
  ops::attention(changed, shape, out2, sums2);
  EXPECT_TRUE(out2.narrow(0, 0, 34).equal(out.narrow(0, 0, 34)));
}

TEST_P(TrainingOpsTest, TheAttentionsGradientIsLibTorchsOwn) {
  const ops::AttentionShape shape = three_sequences();
  const at::Tensor qkv = random({48, 100}), dout = random({48, 60});
  at::Tensor out = zeros({48, 60}), sums = at::zeros({6, 48}), dqkv = zeros({48, 100}), dqkv2 = zeros({48, 100});
  ops::attention(qkv, shape, out, sums);
  ops::attention_backward(qkv, shape, out, sums, dout, dqkv);
  ops::generic::attention_backward(qkv, shape, out, sums, dout, dqkv2);
  expect_near(dqkv, dqkv2);

  at::Tensor leaf = qkv.to(at::kFloat).detach().requires_grad_(true);
  std::vector<at::Tensor> parts;
  std::int64_t first = 0;
  for (const std::int64_t length : shape.lengths) {
    const auto heads = [&](std::int64_t from, std::int64_t count) {
      return leaf.narrow(0, first, length).narrow(1, from * 10, count * 10).unflatten(1, {count, 10}).transpose(0, 1);
    };
    parts.push_back(at::scaled_dot_product_attention(heads(0, 6), heads(6, 2).repeat_interleave(3, 0),
                                                     heads(8, 2).repeat_interleave(3, 0), {}, 0.0, true)
                        .transpose(0, 1)
                        .flatten(1));
    first += length;
  }
  (at::cat(parts, 0) * dout.to(at::kFloat)).sum().backward();
  expect_near(dqkv, leaf.grad());
}

INSTANTIATE_TEST_SUITE_P(Types, TrainingOpsTest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& type) { return std::string(at::toString(type.param)); });

}  // namespace
}  // namespace cutd
