// Strong ids: a RoundId cannot be passed where a RunId is meant. 0 is "none yet"; rows start at 1.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace cutd {

template <typename Noun>
struct Id {
  std::int64_t value = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the defaulted comparison's 0 for a pointer
  constexpr auto operator<=>(const Id&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
};

}  // namespace cutd

template <typename Noun>
struct std::hash<cutd::Id<Noun>> {
  std::size_t operator()(cutd::Id<Noun> id) const noexcept { return std::hash<std::int64_t>()(id.value); }
};
