#include "model/training_attention_packed.h"

#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/error.h"

namespace cutd::training_ops::packed {
namespace {

// Query, key and value rows as [rows, heads, head_dim] views of qkv.
struct Views {
  at::Tensor query, key, value;
};

Views views(const at::Tensor& qkv, const AttentionShape& shape) {
  const auto part = [&](std::int64_t first, std::int64_t heads) {
    return qkv.narrow(1, first * shape.head_dim, heads * shape.head_dim).unflatten(1, {heads, shape.head_dim});
  };
  return {part(0, shape.heads), part(shape.heads, shape.kv_heads), part(shape.heads + shape.kv_heads, shape.kv_heads)};
}

at::Tensor by_head(const at::Tensor& rows, const AttentionShape& shape) {
  return rows.unflatten(1, {shape.heads, shape.head_dim});
}

double scale_of(const AttentionShape& shape) { return 1 / std::sqrt(static_cast<double>(shape.head_dim)); }

std::int64_t longest(const AttentionShape& shape) {
  return *std::max_element(shape.lengths.begin(), shape.lengths.end());
}

// The kernel's backward adds into dq in any order unless deterministic algorithms are asked for.
class Deterministic {
 public:
  Deterministic() : before_(at::globalContext().deterministicAlgorithms()) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  }
  ~Deterministic() { at::globalContext().setDeterministicAlgorithms(before_, false); }
  Deterministic(const Deterministic&) = delete;
  Deterministic& operator=(const Deterministic&) = delete;

 private:
  const bool before_;
};

}  // namespace

bool suits(const at::Tensor& qkv, const AttentionShape& shape) {
  return qkv.is_cuda() && qkv.scalar_type() == at::kBFloat16 && shape.head_dim % 8 == 0 && shape.head_dim <= 256 &&
         shape.starts.defined();
}

void attention(const at::Tensor& qkv, const AttentionShape& shape, at::Tensor& out, at::Tensor& log_sums) {
  const Views rows = views(qkv, shape);
  const auto result = at::_flash_attention_forward(rows.query, rows.key, rows.value, shape.starts, shape.starts,
                                                   longest(shape), longest(shape), /*dropout_p=*/0.0,
                                                   /*is_causal=*/true, /*return_debug_mask=*/false, scale_of(shape));
  if (!std::get<1>(result).sizes().equals(log_sums.sizes())) {
    throw Error(ErrorCode::kInternal, "the packed attention kernel's log-sums have another shape than [heads, rows]");
  }
  out.copy_(std::get<0>(result).flatten(1));
  log_sums.copy_(std::get<1>(result));
}

void attention_backward(const at::Tensor& qkv, const AttentionShape& shape, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& dout, at::Tensor& dqkv) {
  const Views rows = views(qkv, shape);
  // State of the kernel's own dropout, which is off; it is passed on, not read.
  const at::Tensor random_state = at::zeros({2}, at::TensorOptions().dtype(at::kUInt64).device(qkv.device()));
  const at::Tensor unused = at::zeros({}, random_state.options());
  const Deterministic deterministic;
  const auto [dq, dk, dv] = at::_flash_attention_backward(
      by_head(dout.to(qkv.scalar_type()), shape), rows.query, rows.key, rows.value, by_head(out, shape), log_sums,
      shape.starts, shape.starts, longest(shape), longest(shape), /*dropout_p=*/0.0, /*is_causal=*/true, random_state,
      unused, scale_of(shape));
  const Views gradient = views(dqkv, shape);
  gradient.query.copy_(dq);
  gradient.key.copy_(dk);
  gradient.value.copy_(dv);
}

}  // namespace cutd::training_ops::packed
