// Whether this program is instrumented: its memory is then the sanitizer's (shadow, quarantine) and says nothing of
// ours.
#pragma once

namespace cutd {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

}  // namespace cutd
