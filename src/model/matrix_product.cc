#include "model/matrix_product.h"

#include "model/cpu_level.h"

namespace cutd::matrix_product {

Path path_for(at::ScalarType dtype, const at::Device& device) {
#if defined(__x86_64__)
  static const bool slow_bfloat16 = best_cpu_level() < CpuLevel::kAvx512;
  if (dtype == at::kBFloat16 && device.is_cpu() && slow_bfloat16) return Path::kWidened;
#endif
  (void)dtype;
  (void)device;
  return Path::kDirect;
}

void multiply(const at::Tensor& a, const at::Tensor& b, at::Tensor& out, Path path) {
  if (path == Path::kWidened) out.copy_(at::mm(a.to(at::kFloat), b.to(at::kFloat)));
  else if (out.is_contiguous()) at::mm_out(out, a, b);
  else out.copy_(at::mm(a, b));
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b, Path path) {
  at::Tensor out = at::empty({a.size(0), b.size(1)}, a.options());
  multiply(a, b, out, path);
  return out;
}

void add_product(const at::Tensor& a, const at::Tensor& b, double scale, at::Tensor sum, Path path) {
  if (path == Path::kDirect) {
    if (sum.scalar_type() == a.scalar_type()) sum.addmm_(a, b, 1, scale);
    else sum.add_(at::mm(a, b), scale);
    return;
  }
  const at::Tensor wide_a = a.to(at::kFloat), wide_b = b.to(at::kFloat);
  if (sum.scalar_type() == at::kFloat) sum.addmm_(wide_a, wide_b, 1, scale);
  else sum.copy_(sum.to(at::kFloat).addmm_(wide_a, wide_b, 1, scale));
}

}  // namespace cutd::matrix_product
