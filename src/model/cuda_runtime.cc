#include "model/cuda_runtime.h"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <filesystem>

namespace cutd {
namespace {

std::string loader_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "unknown loader error" : text;
}

// libcutd_cuda.so lies beside the program.
std::string plugin_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string("libcutd_cuda.so") : (program.parent_path() / "libcutd_cuda.so").string();
}

}  // namespace

const CudaRuntime& CudaRuntime::instance() {
  static const CudaRuntime runtime;  // constant after construction; the libraries stay open
  return runtime;
}

CudaRuntime::CudaRuntime() {
  if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    reason_ = "no NVIDIA driver (libcuda.so.1)";
    return;
  }
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    reason_ = "LibTorch's CUDA library does not load: " + loader_error();
    return;
  }
  void* plugin = ::dlopen(plugin_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    reason_ = "the CUDA plugin does not load: " + loader_error();
    return;
  }
  using Entry = const cuda::Plugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(plugin, "cutd_cuda_plugin"));
  if (entry == nullptr) {
    reason_ = "the CUDA plugin has no entry: " + loader_error();
    return;
  }
  plugin_ = entry();
  try {
    device_count_ = c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount();
  } catch (const std::exception& error) {
    reason_ = error.what();
  }
  if (device_count_ == 0 && reason_.empty()) reason_ = "the driver shows no GPU";
}

}  // namespace cutd
