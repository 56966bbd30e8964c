// Large memory straight from the kernel: zeroed, aligned to 2 MB and, where the kernel allows it, in huge pages,
// which streaming hundreds of megabytes of weights a step needs. Pages are taken when first touched.
#pragma once

#include <cstddef>
#include <string>

namespace cutd {

// Movable, not copyable.
class HugeBuffer {
 public:
  HugeBuffer() = default;
  // Error(kResource) saying what `purpose` needed.
  HugeBuffer(std::size_t bytes, const std::string& purpose);
  ~HugeBuffer();
  HugeBuffer(HugeBuffer&& other) noexcept;
  HugeBuffer& operator=(HugeBuffer&& other) noexcept;
  HugeBuffer(const HugeBuffer&) = delete;
  HugeBuffer& operator=(const HugeBuffer&) = delete;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cutd
