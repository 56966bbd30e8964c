// Where and in which element type the model computes, and with how many CPU threads.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

namespace cutd {

// "auto" (the first GPU where one is usable, else the CPU), "cpu", "cuda" or "cuda:N".
// Error(kUsage) for other text or a GPU that is not there, with the reason. Opens CUDA's libraries
// unless the text is "cpu": call it before anything else of LibTorch that may ask for CUDA.
at::Device parse_device(const std::string& text);
std::string device_name(const at::Device& device);  // "cpu", "cuda:0"

// "float32" or "bfloat16"; Error(kUsage) otherwise.
at::ScalarType parse_dtype(const std::string& text);
const char* dtype_text(at::ScalarType dtype);

// Physical cores this process may run on: its affinity mask without the second threads of a core, at
// most what the cgroup's CPU quota allows (rounded up).
std::int64_t usable_physical_cores();

// Sets the CPU threads of this process (0: usable_physical_cores()) and returns their number. Inter-op
// threads become 1. Call it once, before other use of LibTorch.
std::int64_t set_compute_threads(std::int64_t threads);

// The CPU as manifests record it: vendor string, model name and the kernel level in use.
std::string cpu_description();

// Most resident memory of this process so far (CPU), or most memory allocated on the GPU.
std::int64_t peak_memory_bytes(const at::Device& device);

}  // namespace cutd
