// What a fuzz target and its driver share. A target defines LLVMFuzzerTestOneInput() as libFuzzer has it: it returns
// for whatever bytes it gets, and a sanitizer's report, an exception or violated() is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace cutd::fuzz {

[[noreturn]] inline void violated(const std::string& what) {
  std::fprintf(stderr, "violated: %s\n", what.c_str());
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace cutd::fuzz
