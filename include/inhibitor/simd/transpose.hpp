// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "inhibitor/simd/batch.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

/// N x N transpose in registers: step s = 1, 2, 4 ... exchanges the s-th bit of row and column number. The compilers'
/// own vector types, because xsimd has no whole-register shuffle of two operands in all versions.
template <class Isa, class T>
struct register_square {
  static constexpr index_t N = lanes<Isa, T>;
  typedef T row __attribute__((vector_size(sizeof(T) * static_cast<std::size_t>(N))));
  row rows[N];

  /// The lanes of a, then those of b from N on, that are named.
  template <int... Lane>
  static INHIBITOR_INLINE row lanes_of(const row& a, const row& b) {
#if defined(__clang__) || __GNUC__ >= 12
    return __builtin_shufflevector(a, b, Lane...);
#else
    using lane_number = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    typedef lane_number lane_numbers __attribute__((vector_size(sizeof(row))));
    return __builtin_shuffle(a, b, lane_numbers{Lane...});
#endif
  }
  template <int Step, int... Lane>
  INHIBITOR_INLINE void exchange(row& a, row& b, std::integer_sequence<int, Lane...>) {
    constexpr int n = static_cast<int>(N);
    const row low = lanes_of<((Lane & Step) != 0 ? n + Lane - Step : Lane)...>(a, b);
    b = lanes_of<((Lane & Step) != 0 ? n + Lane : Lane + Step)...>(a, b);
    a = low;
  }
  template <int Step>
  INHIBITOR_INLINE void steps() {
    if constexpr (Step < N) {
      INHIBITOR_UNROLL
      for (int i = 0; i < static_cast<int>(N); ++i) {
        if ((i & Step) == 0) exchange<Step>(rows[i], rows[i + Step], std::make_integer_sequence<int, int(N)>{});
      }
      steps<2 * Step>();
    }
  }
};

}  // namespace detail

/// dst[c * dst_stride + r] = src[r][c] for r, c in [0, N): a square of N rows, given by N pointers. No alignment
/// needed.
template <class Isa, class T>
INHIBITOR_INLINE void transpose_square(T* dst, index_t dst_stride, const T* const* src) {
  if constexpr (lanes<Isa, T> == 1) {
    *dst = **src;
  } else {
    detail::register_square<Isa, T> square;
    INHIBITOR_UNROLL
    for (index_t i = 0; i < lanes<Isa, T>; ++i) std::memcpy(&square.rows[i], src[i], sizeof(square.rows[i]));
    square.template steps<1>();
    INHIBITOR_UNROLL
    for (index_t i = 0; i < lanes<Isa, T>; ++i) {
      std::memcpy(dst + i * dst_stride, &square.rows[i], sizeof(square.rows[i]));
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
