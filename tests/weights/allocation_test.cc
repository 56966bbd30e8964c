// What a corrupted file may make the parsers allocate: nothing larger than a few times the file, whatever counts
// and lengths it claims (reliability promise P34).
#include <atomic>
#include <cstdlib>
#include <new>
#include <random>

#include "weights/gguf.h"
#include "weights/safetensors.h"
#include "weights/weights_support.h"

namespace {
std::atomic<std::size_t> largest_allocation{0};
}  // namespace

// Replace the allocator of this test program; count only. Not inlined: GCC 12 would see new meet free and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  std::size_t seen = largest_allocation.load(std::memory_order_relaxed);
  while (size > seen && !largest_allocation.compare_exchange_weak(seen, size, std::memory_order_relaxed)) {
  }
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace cutd {
namespace {

template <typename Parse>
void expect_small_allocations(const std::string& file, const Parse& parse) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 5'000; ++round) {
    std::string changed = file;
    // Eight bytes at once: counts, lengths and offsets become arbitrary, small and huge.
    const std::uint64_t value = random() >> (random() % 64);
    std::memcpy(changed.data() + random() % (changed.size() - 8), &value, sizeof(value));
    largest_allocation = 0;
    try {
      parse(changed);
    } catch (const Error&) {
    }
    ASSERT_LE(largest_allocation.load(), 64 * file.size());
  }
}

TEST(AllocationTest, SafetensorsCountsAreNotBelieved) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"__metadata__":{"k":"v"}})";
  expect_small_allocations(safetensors_bytes(header, std::string(8, '\1')),
                           [](const std::string& file) { parse_safetensors(as_span(file), "x"); });
}

TEST(AllocationTest, GgufCountsAreNotBelieved) {
  const std::string file = GgufBuilder()
                               .text("general.architecture", "llama")
                               .texts("tokens", {"a", "bb"})
                               .int32s("types", {1, 2})
                               .tensor("w", 0, {2, 3}, std::string(24, '\1'))
                               .build();
  expect_small_allocations(file, [](const std::string& changed) { parse_gguf(as_span(changed), "x"); });
}

}  // namespace
}  // namespace cutd
