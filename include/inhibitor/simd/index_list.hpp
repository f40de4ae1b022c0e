// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/simd/batch.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// From a comparison of registers to the list of the lanes it holds for, without a branch per lane: how kernels leave
// out work that they have found to be superfluous.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

#if defined(__SSE2__)
/// The lanes of the bits of a 4-bit mask, lowest first; what follows them means nothing.
alignas(16) inline constexpr std::uint32_t lanes_of_mask[16][4] = {
    {0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {2, 0, 0, 0}, {0, 2, 0, 0}, {1, 2, 0, 0}, {0, 1, 2, 0},
    {3, 0, 0, 0}, {0, 3, 0, 0}, {1, 3, 0, 0}, {0, 1, 3, 0}, {2, 3, 0, 0}, {0, 2, 3, 0}, {1, 2, 3, 0}, {0, 1, 2, 3}};

/// Writes first + the lanes of a 4-bit mask (four numbers, whatever their meaning); returns how many count.
INHIBITOR_INLINE index_t list_mask(std::uint32_t* list, unsigned mask, std::uint32_t first) {
  const __m128i picked = _mm_load_si128(reinterpret_cast<const __m128i*>(lanes_of_mask[mask]));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(list), _mm_add_epi32(picked, _mm_set1_epi32(static_cast<int>(first))));
  return static_cast<index_t>((0x4332322132212110ULL >> (4 * mask)) & 7U);  // bits set in each of 0 .. 15
}
#endif

}  // namespace detail

/// Numbers that list_where_not_at_least may write.
template <class Isa, class T>
inline constexpr index_t list_room = lanes<Isa, T> < 4 ? 4 : lanes<Isa, T>;

/// Writes to list the numbers first + lane, ascending, of the lanes where a >= b does not hold (a NaN never holds);
/// returns how many. The list needs room for list_room numbers; those beyond the returned count mean nothing.
template <class Isa, class T>
INHIBITOR_INLINE index_t list_where_not_at_least(std::uint32_t* list, batch<Isa, T> a, batch<Isa, T> b,
                                                 std::uint32_t first) {
#if defined(__AVX512F__) && defined(__AVX512VL__)
  if constexpr (isa_has<Isa, isa::avx512>) {
    const int start = static_cast<int>(first);
    if constexpr (sizeof(T) == 4) {
      const __mmask16 mask = _mm512_cmp_ps_mask(a, b, _CMP_NGE_UQ);
      const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
      _mm512_storeu_si512(list, _mm512_maskz_compress_epi32(mask, _mm512_add_epi32(lane, _mm512_set1_epi32(start))));
      return __builtin_popcount(mask);
    } else {
      const __mmask8 mask = _mm512_cmp_pd_mask(a, b, _CMP_NGE_UQ);
      const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(list),
                          _mm256_maskz_compress_epi32(mask, _mm256_add_epi32(lane, _mm256_set1_epi32(start))));
      return __builtin_popcount(mask);
    }
  }
#endif
#if defined(__AVX2__)
  if constexpr (isa_has<Isa, isa::avx2> && !isa_has<Isa, isa::avx512>) {
    if constexpr (sizeof(T) == 4) {
      const auto mask = static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NGE_UQ)));
      const index_t low = detail::list_mask(list, mask & 15U, first);
      return low + detail::list_mask(list + low, mask >> 4, first + 4);
    } else {
      return detail::list_mask(list, static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_NGE_UQ))),
                               first);
    }
  }
#endif
#if defined(__SSE2__)
  if constexpr (isa_has<Isa, isa::sse2> && !isa_has<Isa, isa::avx2>) {
    if constexpr (sizeof(T) == 4) {
      return detail::list_mask(list, static_cast<unsigned>(_mm_movemask_ps(_mm_cmpnge_ps(a, b))), first);
    } else {
      return detail::list_mask(list, static_cast<unsigned>(_mm_movemask_pd(_mm_cmpnge_pd(a, b))), first);
    }
  }
#endif
  if constexpr (!isa_has<Isa, isa::sse2>) {
    constexpr index_t N = lanes<Isa, T>;
    alignas(64) T x[N], y[N];
    a.store_aligned(x);
    b.store_aligned(y);
    index_t count = 0;
    for (index_t lane = 0; lane < N; ++lane) {
      list[count] = first + static_cast<std::uint32_t>(lane);
      count += x[lane] >= y[lane] ? 0 : 1;
    }
    return count;
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
