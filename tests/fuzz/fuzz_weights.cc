// Model files from strangers: GGUF and safetensors, as bytes, and of a GGUF what is made of its metadata.
#include <sys/mman.h>
#include <unistd.h>

#include <span>

#include "core/error.h"
#include "core/unique_fd.h"
#include "fuzz/driver.h"
#include "text/gguf_tokenizer.h"
#include "weights/gguf.h"
#include "weights/gguf_model.h"
#include "weights/safetensors.h"

using namespace cutd;

namespace {

template <typename Work>
void attempt(Work work) {
  try {
    work();
  } catch (const Error&) {
  }
}

void read_gguf_file(std::span<const std::byte> bytes) {
  const UniqueFd file(::memfd_create("fuzz", MFD_CLOEXEC));
  if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return;
  const GgufFile gguf("/proc/self/fd/" + std::to_string(file.get()));
  attempt([&] { gguf_model_config(gguf); });
  attempt([&] { build_tokenizer_files(gguf_tokenizer(gguf), "x.gguf"); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  attempt([&] {
    for (const TensorView& tensor : parse_safetensors(bytes, "x.safetensors").tensors) {
      const bool inside = tensor.bytes.data() >= bytes.data() &&
                          tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size();
      if (!tensor.bytes.empty() && !inside) fuzz::violated("a tensor beyond its file");
    }
  });
  attempt([&] {
    parse_gguf(bytes, "x.gguf");
    read_gguf_file(bytes);
  });
  return 0;
}
