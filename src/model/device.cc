#include "model/device.h"

#include <ATen/Parallel.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/error.h"
#include "model/cpu_level.h"
#include "model/cuda_runtime.h"

namespace cutd {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value after "key ... :" in a file such as /proc/cpuinfo; empty when there is none.
std::string value_of(const std::filesystem::path& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t start = line.find_first_not_of(" \t", line.find(':') + 1);
    return start == std::string::npos ? std::string() : line.substr(start);
  }
  return {};
}

// cgroup v2 "max 100000" or "150000 100000"; a large number without a quota.
std::int64_t quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  std::int64_t period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max<std::int64_t>(1, (std::stoll(quota) + period - 1) / period);
}

at::Device gpu_device(const std::string& text, std::int64_t index) {
  const CudaRuntime& cuda = CudaRuntime::instance();
  if (!cuda.available()) throw Error(ErrorCode::kUsage, "device " + text + " is not usable: " + cuda.reason());
  if (index >= cuda.device_count()) {
    throw Error(ErrorCode::kUsage, "device " + text + " is not there: this machine has " +
                                       std::to_string(cuda.device_count()) + " GPU(s), counted from 0");
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace

at::Device parse_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  if (text == "auto") return CudaRuntime::instance().available() ? gpu_device(text, 0) : at::Device(at::kCPU);
  if (text == "cuda") return gpu_device(text, 0);
  const std::string prefix = "cuda:";
  if (text.rfind(prefix, 0) == 0 && text.size() > prefix.size() && text.size() <= prefix.size() + 2 &&
      text.find_first_not_of("0123456789", prefix.size()) == std::string::npos) {
    return gpu_device(text, std::stoll(text.substr(prefix.size())));
  }
  throw Error(ErrorCode::kUsage, "unknown device \"" + text + "\": use auto, cpu or cuda:N");
}

std::string device_name(const at::Device& device) { return device.str(); }

at::ScalarType parse_dtype(const std::string& text) {
  if (text == "float32") return at::kFloat;
  if (text == "bfloat16") return at::kBFloat16;
  throw Error(ErrorCode::kUsage, "unknown dtype \"" + text + "\": use float32 or bfloat16");
}

const char* dtype_text(at::ScalarType dtype) { return dtype == at::kBFloat16 ? "bfloat16" : "float32"; }

std::int64_t usable_physical_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  std::set<std::string> cores;  // by the list of a core's hardware threads
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    const std::string siblings =
        first_line("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    cores.insert(siblings.empty() ? std::to_string(cpu) : siblings);
  }
  return std::clamp<std::int64_t>(quota_cores(), 1, std::max<std::int64_t>(1, static_cast<std::int64_t>(cores.size())));
}

std::int64_t set_compute_threads(std::int64_t threads) {
  const std::int64_t chosen = threads > 0 ? threads : usable_physical_cores();
  at::set_num_threads(static_cast<int>(chosen));
  try {
    at::set_num_interop_threads(1);
  } catch (const c10::Error&) {
    // LibTorch allows it only before its first parallel work; a second call keeps the first one's choice.
  }
  return chosen;
}

std::string cpu_description() {
  const std::string model = value_of("/proc/cpuinfo", "model name");
  return value_of("/proc/cpuinfo", "vendor_id") + " " + model + " " + cpu_level_name(best_cpu_level());
}

std::int64_t peak_memory_bytes(const at::Device& device) {
  if (device.is_cuda()) return CudaRuntime::instance().plugin().peak_memory_bytes(device.index());
  const std::string peak = value_of("/proc/self/status", "VmHWM");  // "123 kB"
  return peak.empty() ? 0 : std::stoll(peak) * 1024;
}

}  // namespace cutd
