#include "model/training_head.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "model/matrix_product.h"
#include "model/training_ops.h"

namespace cutd {
namespace {

// About 32 MB of fp32 logits at a time: they stay in the last-level cache.
constexpr std::int64_t kChunkLogits = 8 << 20;

// fp32, whatever the type of the rows.
at::Tensor logits(const at::Tensor& rows, const at::Tensor& head) {
  if (head.scalar_type() == at::kFloat) return at::mm(rows.to(at::kFloat), head.t());
  return at::mm(rows, head.t(), at::kFloat);
}

}  // namespace

TrainingHead::TrainingHead(const DecoderWeights& weights) : weights_(weights) {}

HeadValues TrainingHead::run(const at::Tensor& rows, const at::Tensor& labels, bool directions) const {
  const std::int64_t count = rows.size(0);
  HeadValues values;
  values.log_p.resize(static_cast<std::size_t>(count));
  values.log_not_p.resize(static_cast<std::size_t>(count));
  if (directions) values.directions = at::empty_like(rows);
  const matrix_product::Path path = matrix_product::path_for(weights_.dtype, weights_.device);
  const at::Tensor head = weights_.device.is_cpu() ? weights_.head.to(at::kFloat) : weights_.head;
  const at::Tensor& back = path == matrix_product::Path::kWidened ? head : weights_.head;
  const std::int64_t chunk = std::max<std::int64_t>(1, kChunkLogits / weights_.head.size(0));
  for (std::int64_t first = 0; first < count; first += chunk) {
    const std::int64_t size = std::min(chunk, count - first);
    at::Tensor scores = logits(rows.narrow(0, first, size), head);
    at::Tensor difference;
    if (directions) difference = weights_.dtype == at::kFloat ? scores : at::empty(scores.sizes(), rows.options());
    training_ops::softmax_difference(scores, labels.narrow(0, first, size), values.log_p.data() + first,
                                     values.log_not_p.data() + first, difference);
    if (!directions) continue;
    at::Tensor out = values.directions.narrow(0, first, size);
    matrix_product::multiply(difference, back, out, path);
  }
  return values;
}

}  // namespace cutd
