// Everything that needs CUDA headers, behind one table of functions in libcutd_cuda.so. The engine
// opens it (model/cuda_runtime.h) after libtorch_cuda.so, on machines with a driver; elsewhere it is
// only compiled. All functions are called by the thread that runs the model; they throw c10::Error.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cutd::cuda {

struct Plugin {
  std::int64_t (*peak_memory_bytes)(int device);  // most bytes allocated since reset_peak_memory
  void (*reset_peak_memory)(int device);
  void (*empty_cache)();  // hands unused blocks back, between generation and training
  void (*synchronize)(int device);
  // Copies `bytes` of host memory to device memory through pinned buffers on a copy stream; returns
  // when the last copy is queued and ordered before later work of the current stream.
  void (*upload)(int device, void* target, const void* source, std::size_t bytes);
};

}  // namespace cutd::cuda

extern "C" const cutd::cuda::Plugin* cutd_cuda_plugin();
