#include "model/training_ops.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include "model/cpu_level.h"
#include "model/training_attention_packed.h"
#include "model/training_ops_generic.h"

namespace cutd::training_ops {
namespace {

constexpr std::int64_t kRowsPerTask = 16;

bool on_cpu(const at::Tensor& tensor) { return tensor.device().is_cpu(); }

const CpuLevel& level() {
  static const CpuLevel best = best_cpu_level();
  return best;
}

template <typename T>
const T* pointer(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}
template <typename T>
T* mutable_pointer(at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

// Calls body(kernels) with the kernels of the tensor's element type.
template <typename Body>
void with_kernels(const at::Tensor& tensor, const Body& body) {
  if (tensor.scalar_type() == at::kFloat) {
    body(training_kernels<float>(level()), static_cast<const float*>(nullptr));
  } else {
    TORCH_CHECK(tensor.scalar_type() == at::kBFloat16, "training runs in float32 or bfloat16");
    body(training_kernels<Bfloat16>(level()), static_cast<const Bfloat16*>(nullptr));
  }
}

template <typename Body>
void for_rows(std::int64_t rows, const Body& body) {
  at::parallel_for(0, rows, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) body(row);
  });
}

}  // namespace

void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y, at::Tensor& inverse_rms) {
  if (!on_cpu(x)) return generic::rms_norm(x, weight, epsilon, y, inverse_rms);
  with_kernels(x, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = x.size(1);
    for_rows(x.size(0), [&](std::int64_t row) {
      kernels.rms_norm(pointer<T>(x) + row * size, pointer<T>(weight), size, static_cast<float>(epsilon),
                       mutable_pointer<T>(y) + row * size, mutable_pointer<float>(inverse_rms) + row);
    });
  });
}

void rms_norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                       const at::Tensor& dy, at::Tensor& sum) {
  if (!on_cpu(x)) return generic::rms_norm_backward(x, weight, inverse_rms, dy, sum);
  with_kernels(x, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = x.size(1);
    for_rows(x.size(0), [&](std::int64_t row) {
      kernels.rms_norm_backward(pointer<T>(x) + row * size, pointer<T>(weight), pointer<float>(inverse_rms)[row],
                                pointer<T>(dy) + row * size, size, mutable_pointer<float>(sum) + row * size);
    });
  });
}

void silu_multiply(const at::Tensor& gate_up, at::Tensor& y) {
  if (!on_cpu(y)) return generic::silu_multiply(gate_up, y);
  with_kernels(y, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = y.size(1);
    for_rows(y.size(0), [&](std::int64_t row) {
      const T* gate = pointer<T>(gate_up) + row * 2 * size;
      kernels.silu_multiply(gate, gate + size, size, mutable_pointer<T>(y) + row * size);
    });
  });
}

void silu_multiply_backward(at::Tensor& gate_up, const at::Tensor& dy) {
  if (!on_cpu(dy)) return generic::silu_multiply_backward(gate_up, dy);
  with_kernels(dy, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = dy.size(1);
    for_rows(dy.size(0), [&](std::int64_t row) {
      T* gate = mutable_pointer<T>(gate_up) + row * 2 * size;
      kernels.silu_multiply_backward(gate, gate + size, pointer<T>(dy) + row * size, size, gate, gate + size);
    });
  });
}

void rotate(at::Tensor& x, std::int64_t heads, const RotaryPositions& rotary, double direction) {
  if (!on_cpu(x)) return generic::rotate(x, heads, rotary, direction);
  with_kernels(x, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t half = rotary.cos.size(1);
    for_rows(x.size(0), [&](std::int64_t row) {
      const std::int64_t position = pointer<std::int64_t>(rotary.positions)[row];
      T* head = mutable_pointer<T>(x) + row * x.stride(0);
      for (std::int64_t h = 0; h < heads; ++h, head += 2 * half) {
        kernels.rotate(head, pointer<float>(rotary.cos) + position * half, pointer<float>(rotary.sin) + position * half,
                       half, static_cast<float>(direction));
      }
    });
  });
}

void add(const at::Tensor& x, const at::Tensor& y, at::Tensor& sum) {
  if (!on_cpu(x)) {
    at::add_out(sum, x, y);
    return;
  }
  with_kernels(x, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = x.size(1);
    for_rows(x.size(0), [&](std::int64_t row) {
      kernels.add(pointer<T>(x) + row * size, pointer<T>(y) + row * size, size, mutable_pointer<T>(sum) + row * size);
    });
  });
}

void softmax_difference(at::Tensor& logits, const at::Tensor& labels, float* log_p, float* log_not_p,
                        at::Tensor& difference) {
  if (!on_cpu(logits)) return generic::softmax_difference(logits, labels, log_p, log_not_p, difference);
  const std::int64_t size = logits.size(1);
  at::Tensor& target = difference.defined() ? difference : logits;  // without use for it, the cheaper of the two
  with_kernels(target, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    at::parallel_for(0, logits.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        kernels.softmax_difference(mutable_pointer<float>(logits) + row * size, size,
                                   pointer<std::int64_t>(labels)[row], log_p + row, log_not_p + row,
                                   mutable_pointer<T>(target) + row * size);
      }
    });
  });
}

namespace {

std::uint32_t drop_threshold(double probability) {
  return static_cast<std::uint32_t>(std::llround(probability * 65536));
}

DropoutRow mask_row(const DropoutMask& mask, std::int64_t row) {
  return {mask.positions[static_cast<std::size_t>(row)], mask.sequences[static_cast<std::size_t>(row)], mask.module};
}

}  // namespace

void dropout(const at::Tensor& x, const DropoutMask& mask, at::Tensor& y) {
  if (!on_cpu(x)) return generic::dropout(x, mask, y);
  with_kernels(x, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = x.size(1);
    for_rows(x.size(0), [&](std::int64_t row) {
      kernels.dropout(pointer<T>(x) + row * size, size, mask_row(mask, row), mask.key, drop_threshold(mask.probability),
                      static_cast<float>(1 / (1 - mask.probability)), mutable_pointer<T>(y) + row * size);
    });
  });
}

void dropout_backward(const at::Tensor& dy, const DropoutMask& mask, at::Tensor& sum) {
  if (!on_cpu(dy)) return generic::dropout_backward(dy, mask, sum);
  with_kernels(dy, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t size = dy.size(1);
    for_rows(dy.size(0), [&](std::int64_t row) {
      kernels.dropout_backward(pointer<T>(dy) + row * size, size, mask_row(mask, row), mask.key,
                               drop_threshold(mask.probability), static_cast<float>(1 / (1 - mask.probability)),
                               mutable_pointer<T>(sum) + row * size);
    });
  });
}

namespace {

// Every (sequence, key/value head), longest sequences first, so that threads finish together.
struct AttentionPlace {
  std::int64_t first_row, length, kv_head;
};
std::vector<AttentionPlace> attention_places(const AttentionShape& shape) {
  std::vector<AttentionPlace> places;
  std::int64_t first = 0;
  for (const std::int64_t length : shape.lengths) {
    for (std::int64_t head = 0; head < shape.kv_heads; ++head) places.push_back({first, length, head});
    first += length;
  }
  std::stable_sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.length > b.length; });
  return places;
}

template <typename T>
AttentionTask<T> attention_task(const AttentionShape& shape, const AttentionPlace& place, const T* qkv,
                                std::int64_t rows) {
  AttentionTask<T> task{};
  const std::int64_t group = shape.heads / shape.kv_heads;
  task.length = place.length;
  task.head_dim = shape.head_dim;
  task.group = group;
  task.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
  task.stride = (shape.heads + 2 * shape.kv_heads) * shape.head_dim;
  task.out_stride = shape.heads * shape.head_dim;
  task.log_sums_stride = rows;
  const T* row = qkv + place.first_row * task.stride;
  task.q = row + place.kv_head * group * shape.head_dim;
  task.k = row + (shape.heads + place.kv_head) * shape.head_dim;
  task.v = row + (shape.heads + shape.kv_heads + place.kv_head) * shape.head_dim;
  return task;
}

// Runs body(place, scratch) for all places; which thread takes which has no influence on results.
template <typename Body>
void for_places(const AttentionShape& shape, const Body& body) {
  const std::vector<AttentionPlace> places = attention_places(shape);
  const std::int64_t longest = places.empty() ? 0 : places.front().length;
  std::atomic<std::size_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t begin, std::int64_t end) {
    const auto scratch = std::make_unique_for_overwrite<float[]>(
        static_cast<std::size_t>(attention_scratch_size(longest, shape.head_dim)));
    for (std::int64_t thread = begin; thread < end; ++thread) {
      for (std::size_t i = next++; i < places.size(); i = next++) body(places[i], scratch.get());
    }
  });
}

}  // namespace

void attention(const at::Tensor& qkv, const AttentionShape& shape, at::Tensor& out, at::Tensor& log_sums) {
  if (packed::suits(qkv, shape)) return packed::attention(qkv, shape, out, log_sums);
  if (!on_cpu(qkv)) return generic::attention(qkv, shape, out, log_sums);
  with_kernels(qkv, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t group = shape.heads / shape.kv_heads;
    for_places(shape, [&](const AttentionPlace& place, float* scratch) {
      AttentionTask<T> task = attention_task<T>(shape, place, pointer<T>(qkv), qkv.size(0));
      task.out = mutable_pointer<T>(out) + place.first_row * task.out_stride + place.kv_head * group * shape.head_dim;
      task.log_sums = mutable_pointer<float>(log_sums) + place.kv_head * group * qkv.size(0) + place.first_row;
      kernels.attention(task, scratch);
    });
  });
}

void attention_backward(const at::Tensor& qkv, const AttentionShape& shape, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& dout, at::Tensor& dqkv) {
  if (packed::suits(qkv, shape)) return packed::attention_backward(qkv, shape, out, log_sums, dout, dqkv);
  if (!on_cpu(qkv)) return generic::attention_backward(qkv, shape, out, log_sums, dout, dqkv);
  with_kernels(qkv, [&](const auto& kernels, auto* type) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    const std::int64_t group = shape.heads / shape.kv_heads;
    for_places(shape, [&](const AttentionPlace& place, float* scratch) {
      AttentionTask<T> task = attention_task<T>(shape, place, pointer<T>(qkv), qkv.size(0));
      const std::int64_t out_offset = place.first_row * task.out_stride + place.kv_head * group * shape.head_dim;
      // Backward only reads these two; the task is shared with forward, which writes them.
      task.out = const_cast<T*>(pointer<T>(out)) + out_offset;
      task.log_sums =
          const_cast<float*>(pointer<float>(log_sums)) + place.kv_head * group * qkv.size(0) + place.first_row;
      task.out_gradient = pointer<T>(dout) + out_offset;
      T* gradient = mutable_pointer<T>(dqkv);
      task.q_gradient = gradient + (task.q - pointer<T>(qkv));
      task.k_gradient = gradient + (task.k - pointer<T>(qkv));
      task.v_gradient = gradient + (task.v - pointer<T>(qkv));
      kernels.attention_backward(task, scratch);
    });
  });
}

}  // namespace cutd::training_ops
