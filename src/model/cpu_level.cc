#include "model/cpu_level.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "core/error.h"

namespace cutd {
namespace {

#if defined(__x86_64__)
// Linux gives a process the tile registers, 8 KiB more of state for each thread, when it asks
// (Documentation/arch/x86/xstate.rst).
bool tiles_are_usable() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  static const bool usable = __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
                             ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return usable;
}
#endif

bool supports(CpuLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case CpuLevel::kScalar: return true;
    case CpuLevel::kAvx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CpuLevel::kAvx512:
      return supports(CpuLevel::kAvx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case CpuLevel::kAvx512Bf16: return supports(CpuLevel::kAvx512) && __builtin_cpu_supports("avx512bf16");
    case CpuLevel::kAmxBf16: return supports(CpuLevel::kAvx512Bf16) && tiles_are_usable();
  }
  return false;
#else
  return level == CpuLevel::kScalar;
#endif
}

}  // namespace

const char* cpu_level_name(CpuLevel level) {
  switch (level) {
    case CpuLevel::kScalar: return "scalar";
    case CpuLevel::kAvx2: return "avx2";
    case CpuLevel::kAvx512: return "avx512";
    case CpuLevel::kAvx512Bf16: return "avx512_bf16";
    case CpuLevel::kAmxBf16: return "amx_bf16";
  }
  return "unknown";
}

std::vector<CpuLevel> available_cpu_levels() {
  std::vector<CpuLevel> levels;
  for (const CpuLevel level :
       {CpuLevel::kScalar, CpuLevel::kAvx2, CpuLevel::kAvx512, CpuLevel::kAvx512Bf16, CpuLevel::kAmxBf16}) {
    if (supports(level)) levels.push_back(level);
  }
  return levels;
}

CpuLevel best_cpu_level() {
  const std::vector<CpuLevel> levels = available_cpu_levels();
  const char* wanted = std::getenv("CUTD_CPU_LEVEL");
  if (wanted == nullptr || *wanted == '\0') return levels.back();
  for (const CpuLevel level : levels) {
    if (std::string(wanted) == cpu_level_name(level)) return level;
  }
  throw Error(ErrorCode::kUsage, std::string("CUTD_CPU_LEVEL=") + wanted +
                                     ": this CPU has no such level; the best is " + cpu_level_name(levels.back()));
}

}  // namespace cutd
