// CUDA at run time: opened when a driver is there, never linked. The order matters: libtorch_cuda.so
// must be loaded before the first use of any ATen CUDA hook, because ATen caches "no CUDA" for good.
#pragma once

#include <string>

#include "cuda/plugin.h"

namespace cutd {

class CudaRuntime {
 public:
  // Tries to open the libraries, once per process; call it before anything else of LibTorch that may
  // ask for CUDA. Costs 0.2-0.8 s and 350 MB of address space when a driver is there, nothing else.
  // Thread-safe.
  static const CudaRuntime& instance();

  int device_count() const { return device_count_; }
  bool available() const { return device_count_ > 0; }
  // Why not, for messages: "no NVIDIA driver (libcuda.so.1)", the loader's text, …
  const std::string& reason() const { return reason_; }
  // The plugin; only when available().
  const cuda::Plugin& plugin() const { return *plugin_; }

 private:
  CudaRuntime();

  int device_count_ = 0;
  std::string reason_;
  const cuda::Plugin* plugin_ = nullptr;
};

}  // namespace cutd
