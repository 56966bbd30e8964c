#include "model/training_ops_generic.h"

#include <algorithm>
#include <cmath>

namespace cutd::training_ops::generic {

void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y, at::Tensor& inverse_rms) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor inverse = (wide.square().mean(-1) + epsilon).rsqrt();
  inverse_rms.copy_(inverse);
  y.copy_((wide * inverse.unsqueeze(-1)).to(x.scalar_type()) * weight);
}

void rms_norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                       const at::Tensor& dy, at::Tensor& sum) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scaled = dy.to(at::kFloat) * weight.to(at::kFloat);
  const at::Tensor inverse = inverse_rms.unsqueeze(-1);
  const at::Tensor mean = (scaled * wide).mean(-1, true);
  sum.add_(scaled * inverse - wide * (mean * inverse * inverse * inverse));
}

void silu_multiply(const at::Tensor& gate_up, at::Tensor& y) {
  const std::int64_t size = gate_up.size(1) / 2;
  const at::Tensor gate = gate_up.narrow(1, 0, size).to(at::kFloat);
  y.copy_(at::silu(gate) * gate_up.narrow(1, size, size).to(at::kFloat));
}

void silu_multiply_backward(at::Tensor& gate_up, const at::Tensor& dy) {
  const std::int64_t size = gate_up.size(1) / 2;
  const at::Tensor gate = gate_up.narrow(1, 0, size).to(at::kFloat);
  const at::Tensor up = gate_up.narrow(1, size, size).to(at::kFloat);
  const at::Tensor gradient = dy.to(at::kFloat);
  const at::Tensor dgate = at::silu_backward(gradient * up, gate);
  gate_up.narrow(1, size, size).copy_(gradient * at::silu(gate));
  gate_up.narrow(1, 0, size).copy_(dgate);
}

void rotate(at::Tensor& x, std::int64_t heads, const RotaryPositions& rotary, double direction) {
  const std::int64_t half = rotary.cos.size(1);
  at::Tensor rotated = x.narrow(1, 0, heads * 2 * half).unflatten(1, {heads, 2 * half});
  const at::Tensor cos = rotary.cos.index_select(0, rotary.positions).unsqueeze(1);
  const at::Tensor sin = rotary.sin.index_select(0, rotary.positions).unsqueeze(1) * direction;
  const at::Tensor low = rotated.narrow(2, 0, half).to(at::kFloat);
  const at::Tensor high = rotated.narrow(2, half, half).to(at::kFloat);
  const at::Tensor turned_low = low * cos - high * sin;  // of fp32, `low` and `high` are views of x
  const at::Tensor turned_high = high * cos + low * sin;
  rotated.narrow(2, 0, half).copy_(turned_low);
  rotated.narrow(2, half, half).copy_(turned_high);
}

void softmax_difference(at::Tensor& logits, const at::Tensor& labels, float* log_p, float* log_not_p,
                        at::Tensor& difference) {
  const at::Tensor column = labels.unsqueeze(1);
  const at::Tensor largest = logits.amax(1, true);
  const at::Tensor label_shifted = logits.gather(1, column) - largest;
  logits.sub_(largest).exp_().scatter_(1, column, 0.0);  // the label's exponential stays out of the sum of the others
  const at::Tensor others = logits.sum(1, true);
  const at::Tensor sum = others + label_shifted.exp();
  const at::Tensor first = (label_shifted - sum.log()).squeeze(1).to(at::kCPU).contiguous();
  const at::Tensor second = (others.log() - sum.log()).squeeze(1).to(at::kCPU).contiguous();
  std::copy_n(first.const_data_ptr<float>(), first.numel(), log_p);
  std::copy_n(second.const_data_ptr<float>(), second.numel(), log_not_p);
  if (!difference.defined()) return;
  logits.div_(-sum);
  logits.scatter_(1, column, others / sum);
  if (!difference.is_same(logits)) difference.copy_(logits);
}

namespace {

// 32-bit words as int64 tensors, since LibTorch has no unsigned multiplication with carry.
constexpr std::int64_t kWord = 0xFFFFFFFFLL;

struct Counter {
  at::Tensor c0, c1, c2, c3;
};

// High and low word of constant * x without overflowing 63 bits: x is taken in halves.
std::pair<at::Tensor, at::Tensor> multiply_words(std::int64_t constant, const at::Tensor& x) {
  const at::Tensor low_product = (x.bitwise_and(0xFFFF)) * constant;     // < 2^48
  const at::Tensor high_product = x.bitwise_right_shift(16) * constant;  // < 2^48
  const at::Tensor middle = high_product + low_product.bitwise_right_shift(16);
  const at::Tensor low =
      (middle.bitwise_and(0xFFFF)).bitwise_left_shift(16).bitwise_or(low_product.bitwise_and(0xFFFF));
  return {middle.bitwise_right_shift(16), low};
}

// As philox_block of training_dropout_templates.h: [rows, columns] of random 16-bit values.
at::Tensor philox_values(const DropoutMask& mask, std::int64_t columns, const at::Device& device) {
  const at::TensorOptions options = at::TensorOptions().dtype(at::kLong).device(device);
  const std::int64_t blocks = (columns + 7) / 8;
  const at::Tensor rows = mask.positions_tensor.to(device).unsqueeze(1).expand({-1, blocks});
  Counter c{at::arange(blocks, options).unsqueeze(0).expand_as(rows), rows,
            mask.sequences_tensor.to(device).unsqueeze(1).expand_as(rows),
            at::full_like(rows, static_cast<std::int64_t>(mask.module))};
  std::int64_t k0 = static_cast<std::int64_t>(mask.key) & kWord;
  std::int64_t k1 = static_cast<std::int64_t>(mask.key >> 32);
  for (int round = 0; round < 10; ++round) {
    const auto [high0, low0] = multiply_words(0xD2511F53LL, c.c0);
    const auto [high1, low1] = multiply_words(0xCD9E8D57LL, c.c2);
    c = {high1.bitwise_xor(c.c1).bitwise_xor(k0), low1, high0.bitwise_xor(c.c3).bitwise_xor(k1), low0};
    k0 = (k0 + 0x9E3779B9LL) & kWord;
    k1 = (k1 + 0xBB67AE85LL) & kWord;
  }
  const at::Tensor words = at::stack({c.c0, c.c1, c.c2, c.c3}, -1);
  const at::Tensor halves = at::stack({words.bitwise_and(0xFFFF), words.bitwise_right_shift(16)}, -1);
  return halves.reshape({rows.size(0), blocks * 8}).narrow(1, 0, columns);
}

at::Tensor mask_factors(const DropoutMask& mask, std::int64_t columns, const at::Device& device) {
  const std::int64_t threshold = std::llround(mask.probability * 65536);
  return philox_values(mask, columns, device).ge(threshold).to(at::kFloat) / (1 - mask.probability);
}

}  // namespace

void dropout(const at::Tensor& x, const DropoutMask& mask, at::Tensor& y) {
  y.copy_(x.to(at::kFloat) * mask_factors(mask, x.size(1), x.device()));
}

void dropout_backward(const at::Tensor& dy, const DropoutMask& mask, at::Tensor& sum) {
  sum.add_((dy.to(at::kFloat) * mask_factors(mask, dy.size(1), dy.device())).to(sum.scalar_type()));
}

namespace {

// One sequence as [heads, length, head_dim] fp32; key and value heads repeated for their group.
struct Heads {
  at::Tensor q, k, v;
};

at::Tensor split(const at::Tensor& rows, std::int64_t first, std::int64_t heads, std::int64_t head_dim) {
  return rows.narrow(1, first * head_dim, heads * head_dim)
      .unflatten(1, {heads, head_dim})
      .transpose(0, 1)
      .to(at::kFloat);
}

Heads split_heads(const at::Tensor& qkv, const AttentionShape& shape) {
  const std::int64_t group = shape.heads / shape.kv_heads;
  return {split(qkv, 0, shape.heads, shape.head_dim),
          split(qkv, shape.heads, shape.kv_heads, shape.head_dim).repeat_interleave(group, 0),
          split(qkv, shape.heads + shape.kv_heads, shape.kv_heads, shape.head_dim).repeat_interleave(group, 0)};
}

at::Tensor join(const at::Tensor& heads) { return heads.transpose(0, 1).flatten(1); }

at::Tensor sum_groups(const at::Tensor& heads, const AttentionShape& shape) {
  return heads.unflatten(0, {shape.kv_heads, shape.heads / shape.kv_heads}).sum(1);
}

at::Tensor masked_scores(const Heads& heads, double scale) {
  const at::Tensor scores = at::bmm(heads.q, heads.k.transpose(1, 2)) * scale;
  const at::Tensor future = at::ones({scores.size(1), scores.size(1)}, scores.options().dtype(at::kBool)).triu(1);
  return scores.masked_fill(future, -std::numeric_limits<float>::infinity());
}

double attention_scale(const AttentionShape& shape) { return 1 / std::sqrt(static_cast<double>(shape.head_dim)); }

}  // namespace

void attention(const at::Tensor& qkv, const AttentionShape& shape, at::Tensor& out, at::Tensor& log_sums) {
  std::int64_t first = 0;
  for (const std::int64_t length : shape.lengths) {
    const Heads heads = split_heads(qkv.narrow(0, first, length), shape);
    const at::Tensor scores = masked_scores(heads, attention_scale(shape));
    log_sums.narrow(1, first, length).copy_(at::logsumexp(scores, {2}));
    out.narrow(0, first, length).copy_(join(at::bmm(at::softmax(scores, 2), heads.v)));
    first += length;
  }
}

void attention_backward(const at::Tensor& qkv, const AttentionShape& shape, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& dout, at::Tensor& dqkv) {
  const double scale = attention_scale(shape);
  std::int64_t first = 0;
  for (const std::int64_t length : shape.lengths) {
    const Heads heads = split_heads(qkv.narrow(0, first, length), shape);
    const at::Tensor p = at::exp(masked_scores(heads, scale) - log_sums.narrow(1, first, length).unsqueeze(2));
    const at::Tensor gradient = split(dout.narrow(0, first, length), 0, shape.heads, shape.head_dim);
    const at::Tensor result = split(out.narrow(0, first, length), 0, shape.heads, shape.head_dim);
    const at::Tensor dv = at::bmm(p.transpose(1, 2), gradient);
    const at::Tensor dp = at::bmm(gradient, heads.v.transpose(1, 2));
    const at::Tensor ds = p * (dp - (gradient * result).sum(2, true)) * scale;
    const at::Tensor dq = at::bmm(ds, heads.k);
    const at::Tensor dk = at::bmm(ds.transpose(1, 2), heads.q);
    dqkv.narrow(0, first, length)
        .copy_(at::cat({join(dq), join(sum_groups(dk, shape)), join(sum_groups(dv, shape))}, 1));
    first += length;
  }
}

}  // namespace cutd::training_ops::generic
