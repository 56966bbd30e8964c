#include "cuda/plugin.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace cutd::cuda {

namespace {

constexpr std::size_t kAggregate = 0;  // StatType::AGGREGATE
constexpr std::size_t kUploadChunk = std::size_t{64} << 20;
constexpr std::size_t kUploadBuffers = 3;

c10::DeviceIndex index_of(int device) { return static_cast<c10::DeviceIndex>(device); }

std::int64_t peak_memory_bytes(int device) {
  return c10::cuda::CUDACachingAllocator::getDeviceStats(index_of(device)).allocated_bytes[kAggregate].peak;
}

void reset_peak_memory(int device) { c10::cuda::CUDACachingAllocator::resetPeakStats(index_of(device)); }

void empty_cache() { c10::cuda::CUDACachingAllocator::emptyCache(); }

void synchronize(int device) {
  const c10::cuda::CUDAGuard guard(index_of(device));
  c10::cuda::device_synchronize();
}

// Page-locked buffers with an event each: a buffer is refilled when its last copy has finished.
class PinnedRing {
 public:
  PinnedRing() {
    for (Slot& slot : slots_) {
      C10_CUDA_CHECK(cudaMallocHost(&slot.memory, kUploadChunk));
      C10_CUDA_CHECK(cudaEventCreateWithFlags(&slot.copied, cudaEventDisableTiming));
    }
  }
  ~PinnedRing() {
    for (Slot& slot : slots_) {
      C10_CUDA_CHECK_WARN(cudaEventDestroy(slot.copied));
      C10_CUDA_CHECK_WARN(cudaFreeHost(slot.memory));
    }
  }
  PinnedRing(const PinnedRing&) = delete;
  PinnedRing& operator=(const PinnedRing&) = delete;

  void copy(char* target, const char* source, std::size_t bytes, cudaStream_t stream) {
    for (std::size_t offset = 0; offset < bytes; offset += kUploadChunk) {
      Slot& slot = slots_[next_++ % kUploadBuffers];
      C10_CUDA_CHECK(cudaEventSynchronize(slot.copied));
      const std::size_t size = std::min(kUploadChunk, bytes - offset);
      std::memcpy(slot.memory, source + offset, size);
      C10_CUDA_CHECK(cudaMemcpyAsync(target + offset, slot.memory, size, cudaMemcpyHostToDevice, stream));
      C10_CUDA_CHECK(cudaEventRecord(slot.copied, stream));
      last_ = slot.copied;
    }
  }
  cudaEvent_t last() const { return last_; }
  void wait() {
    for (Slot& slot : slots_) C10_CUDA_CHECK(cudaEventSynchronize(slot.copied));
  }

 private:
  struct Slot {
    void* memory = nullptr;
    cudaEvent_t copied = nullptr;
  };
  std::array<Slot, kUploadBuffers> slots_;
  std::size_t next_ = 0;
  cudaEvent_t last_ = nullptr;
};

void upload(int device, void* target, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  const c10::cuda::CUDAGuard guard(index_of(device));
  const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool(false, index_of(device));
  // The caching allocator may have given memory that the current stream still uses.
  const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream(index_of(device));
  current.synchronize();
  thread_local std::optional<PinnedRing> ring;
  if (!ring) ring.emplace();
  ring->copy(static_cast<char*>(target), static_cast<const char*>(source), bytes, stream.stream());
  C10_CUDA_CHECK(cudaStreamWaitEvent(current.stream(), ring->last(), 0));
}

constexpr Plugin kPlugin = {peak_memory_bytes, reset_peak_memory, empty_cache, synchronize, upload};

}  // namespace
}  // namespace cutd::cuda

extern "C" const cutd::cuda::Plugin* cutd_cuda_plugin() { return &cutd::cuda::kPlugin; }
