// Whether this program is instrumented. Its memory is then the sanitizer's (shadow, quarantine) and says nothing of
// ours, and its end is when leaks are told.
#pragma once

namespace cutd {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // GCC
constexpr bool kSanitized = true;
#elif defined(__has_feature)  // Clang
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

}  // namespace cutd
