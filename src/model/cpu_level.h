// Which instruction sets the CPU kernels may use. Every level gives correct results; their last bits differ.
#pragma once

#include <string>
#include <vector>

namespace cutd {

enum class CpuLevel {
  kScalar,      // any x86-64, any other CPU
  kAvx2,        // AVX2 and FMA
  kAvx512,      // AVX-512 F, BW, DQ and VL
  kAvx512Bf16,  // and its bfloat16 dot product
  kAmxBf16,     // and products of bfloat16 tiles (Intel AMX)
};

// The best level of this CPU, or the lower one that the environment variable CUTD_CPU_LEVEL names
// ("scalar", "avx2", "avx512", "avx512_bf16", "amx_bf16"). Error(kUsage) when that is unknown or not available here.
CpuLevel best_cpu_level();

// All levels this CPU can run, lowest first.
std::vector<CpuLevel> available_cpu_levels();

const char* cpu_level_name(CpuLevel level);

}  // namespace cutd
