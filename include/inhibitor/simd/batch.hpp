// SPDX-License-Identifier: Apache-2.0
#pragma once

// g++ 12 takes the deliberately undefined operands inside its own AVX-512 headers for mistakes (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "inhibitor/base/config.hpp"
#include "inhibitor/simd/isa.hpp"
#include "inhibitor/simd/one_lane.hpp"

// The only file that includes xsimd. Always spell the instruction set: xsimd's default differs with the compiler flags.
// Operators and functions are found by argument lookup for every batch, never named with xsimd::, which declares none where it
// knows no register of the processor (riscv64); what changed its name or meaning between xsimd 8.1 and its current release is
// called through the functions below.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

template <class Isa, class T, class = void>
struct batch_of;

template <class T>
struct batch_of<isa::scalar, T> {
  using type = one_lane<T>;
};
// Architecture tags exist in every xsimd build; batches of them only when the compiler flags allow.
template <class T>
struct batch_of<isa::sse2, T> {
  using type = xsimd::batch<T, xsimd::sse2>;
};
template <class T>
struct batch_of<isa::sse4_1, T> {
  using type = xsimd::batch<T, xsimd::sse4_1>;
};
template <class Isa, class T>
struct batch_of<Isa, T, std::enable_if_t<isa_has<Isa, isa::avx2> && !isa_has<Isa, isa::avx512>>> {
  using type = xsimd::batch<T, xsimd::fma3<xsimd::avx2>>;
};
template <class Isa, class T>
struct batch_of<Isa, T, std::enable_if_t<isa_has<Isa, isa::avx512>>> {
  using type = xsimd::batch<T, xsimd::avx512bw>;
};
template <class Isa, class T>
struct batch_of<Isa, T, std::enable_if_t<isa_has<Isa, isa::neon>>> {
  using type = xsimd::batch<T, xsimd::neon64>;
};

}  // namespace detail

/// A register of `T` on `Isa`: xsimd::batch, or one_lane on `scalar`.
template <class Isa, class T>
using batch = typename detail::batch_of<Isa, T>::type;

/// Number of `T` in a register of `Isa`: N in comments.
template <class Isa, class T>
inline constexpr index_t lanes = static_cast<index_t>(batch<Isa, T>::size);

/// AVX-512 and aarch64 have 32 vector registers, the others 16: what the sizes of register tiles follow from.
template <class Isa>
inline constexpr bool has_32_registers = isa_has<Isa, isa::avx512> || isa_has<Isa, isa::neon>;

/// Lane by lane a > b ? a : b and a < b ? a : b: one instruction, and the lane of b where either is NaN (on x86; NEON's
/// is NaN). xsimd's own max and min kept the other operand since version 14.0.
template <class T, class Arch>
INHIBITOR_INLINE xsimd::batch<T, Arch> maximum(const xsimd::batch<T, Arch>& a, const xsimd::batch<T, Arch>& b) {
#if XSIMD_VERSION_MAJOR >= 14
  return max(b, a);
#else
  return max(a, b);
#endif
}
template <class T, class Arch>
INHIBITOR_INLINE xsimd::batch<T, Arch> minimum(const xsimd::batch<T, Arch>& a, const xsimd::batch<T, Arch>& b) {
#if XSIMD_VERSION_MAJOR >= 14
  return min(b, a);
#else
  return min(a, b);
#endif
}
template <class T>
INHIBITOR_INLINE one_lane<T> maximum(one_lane<T> a, one_lane<T> b) {
  return max(a, b);
}
template <class T>
INHIBITOR_INLINE one_lane<T> minimum(one_lane<T> a, one_lane<T> b) {
  return min(a, b);
}

/// Sum over the lanes, in an order that depends on the instruction set. Result and intermediate type are T.
template <class Isa, class T>
INHIBITOR_INLINE T horizontal_sum(const batch<Isa, T>& x) {
  if constexpr (std::is_same_v<Isa, isa::scalar>) {
    return x.value;
  } else {
#if XSIMD_VERSION_MAJOR >= 9
    return reduce_add(x);
#else
    return hadd(x);
#endif
  }
}

/// Largest lane. NaN in a lane may or may not be the result.
template <class Isa, class T>
INHIBITOR_INLINE T horizontal_max(const batch<Isa, T>& x) {
  constexpr index_t n = lanes<Isa, T>;
  alignas(64) T values[n];
  x.store_aligned(values);
  T result = values[0];
  for (index_t i = 1; i < n; ++i) result = values[i] > result ? values[i] : result;
  return result;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
