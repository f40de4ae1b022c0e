// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/batch.hpp"

// Passes over aligned arrays of whole registers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// p[0, n) = 0; n is rounded up to a multiple of N.
template <class Isa, class T>
INHIBITOR_INLINE void fill_zero(T* p, index_t n) {
  for (index_t i = 0; i < n; i += lanes<Isa, T>) batch<Isa, T>(T(0)).store_aligned(p + i);
}

/// dst[i] = f(src[i]); n is a multiple of N; they may be the same array.
template <class Isa, class T, class F>
INHIBITOR_INLINE void map_numbers(T* dst, const T* src, index_t n, F&& f) {
  using B = batch<Isa, T>;
  for (index_t i = 0; i < n; i += lanes<Isa, T>) f(B::load_aligned(src + i)).store_aligned(dst + i);
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
