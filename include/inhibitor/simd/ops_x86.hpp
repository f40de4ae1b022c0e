// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__) || defined(__i386__)

#include <immintrin.h>

#include "inhibitor/simd/ops.hpp"
#include "inhibitor/simd/registers_x86.hpp"

// Native forms of portable_ops on x86. What registers of 16, 32 and 64 bytes have in common is in registers_x86.hpp, with
// the latencies and ports that these choices rest on; the rest branches on the width, at compile time.
//
//   operation            instructions                          note
//   add_abs_diff         psadbw + paddusw                      vpaddq could be issued to the one port that vpsadbw
//                                                              needs; the saturating 16-bit add is not. Each 64-bit
//                                                              lane holds one number below 2^16, so nothing saturates.
//   gather_distances     3 shifts, 3 or (2 vpternlog)          three packs would compete with vpsadbw for its port
//   add_signed           vpdpbusd | pmaddubsw + paddw | SSE2: 16-bit products of both halves
//   store_saturated      vpmovuswb | pminuw + packuswb

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

template <class Isa>
struct native_ops<Isa, std::enable_if_t<isa_has<Isa, isa::sse2>>> : portable_ops<Isa> {
  using base = portable_ops<Isa>;
  using typename base::f32;
  using typename base::i32;
  using typename base::u16;
  using typename base::u32;
  using typename base::u64;
  using typename base::u8;
  using distance = u64;
  using base::width;
  using registers = x86_register<static_cast<int>(width)>;
  static constexpr bool has_vnni = isa_has<Isa, isa::avx512_vnni> || isa_has<Isa, isa::avx2_vnni>;
  /// VNNI sums in 32 bits. Without it pairs of products are summed in 16 bits until signed_total.
  using signed_sum = i32;

  // Not xsimd 8.1's, which do not compile for AVX-512 without optimization under g++ 12.
  static INHIBITOR_INLINE u8 add_saturated(const u8& a, const u8& b) { return u8(registers::add_saturated_u8(a, b)); }
  static INHIBITOR_INLINE u16 add_saturated(const u16& a, const u16& b) {
    return u16(registers::add_saturated_u16(a, b));
  }
  static INHIBITOR_INLINE u8 subtract_saturated(const u8& a, const u8& b) {
    return u8(registers::subtract_saturated_u8(a, b));
  }
  static INHIBITOR_INLINE u16 subtract_saturated(const u16& a, const u16& b) {
    return u16(registers::subtract_saturated_u16(a, b));
  }

  static INHIBITOR_INLINE u64 sums_of_8_abs_diff(const u8& a, const u8& b) { return u64(registers::sad_u8(a, b)); }

  static INHIBITOR_INLINE distance add_abs_diff(const distance& d, const u8& a, const u8& b) {
    return u64(registers::add_saturated_u16(d, registers::sad_u8(a, b)));
  }

  static INHIBITOR_INLINE u16 gather_distances(const distance& d0, const distance& d1, const distance& d2,
                                               const distance& d3) {
    if constexpr (width == 64) {
      constexpr int or_of_three = 0xfe;
      const __m512i low =
          _mm512_ternarylogic_epi64(d0, _mm512_slli_epi64(d1, 16), _mm512_slli_epi64(d2, 32), or_of_three);
      return u16(_mm512_or_si512(low, _mm512_slli_epi64(d3, 48)));
    } else {
      return base::gather_distances(d0, d1, d2, d3);
    }
  }

  static INHIBITOR_INLINE u32 add_small_pairs(const u32& sum, const u16& x) {
    return u32(registers::add_32(sum, registers::multiply_add_16(x, registers::every_16(1))));
  }

  static INHIBITOR_INLINE std::uint64_t sum_of_lanes(const u32& x) {
    __m128i sums;
    if constexpr (width == 64) {
      const __m512i wide =
          _mm512_add_epi64(_mm512_and_si512(x, _mm512_set1_epi64(0xffffffff)), _mm512_srli_epi64(x, 32));
      const __m256i half = _mm256_add_epi64(_mm512_castsi512_si256(wide), _mm512_extracti64x4_epi64(wide, 1));
      sums = _mm_add_epi64(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    } else if constexpr (width == 32) {
      const __m256i wide =
          _mm256_add_epi64(_mm256_and_si256(x, _mm256_set1_epi64x(0xffffffff)), _mm256_srli_epi64(x, 32));
      sums = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    } else {
      sums = _mm_add_epi64(_mm_and_si128(x, _mm_set1_epi64x(0xffffffff)), _mm_srli_epi64(x, 32));
    }
    sums = _mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums));
    std::uint64_t total;
    _mm_storel_epi64(reinterpret_cast<__m128i*>(&total), sums);
    return total;
  }

  static INHIBITOR_INLINE u16 multiply_high(const u16& a, const u16& b) {
    return u16(registers::multiply_high_16(a, b));
  }

  static INHIBITOR_INLINE void store_saturated(std::uint8_t* p, const u16& x) {
    if constexpr (width == 64) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtusepi16_epi8(x));
    } else if constexpr (width == 32) {
      const __m256i limited = _mm256_min_epu16(x, _mm256_set1_epi16(255));
      const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(limited, limited), 0x08);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
    } else {
      const __m128i excess = _mm_subs_epu16(x, _mm_set1_epi16(255));
      const __m128i limited = _mm_sub_epi16(x, excess);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(limited, limited));
    }
  }

  static INHIBITOR_INLINE signed_sum add_signed(const signed_sum& sum, const u8& magnitude, const u8& sign) {
    if constexpr (isa_has<Isa, isa::avx512_vnni>) {
#if defined(__clang__)
      return i32(_mm512_dpbusd_epi32(sum, magnitude, sign));
#else
      // g++ 12 copies the accumulator twice around its intrinsic (it sees another vector type), a quarter of the time.
      __m512i acc = sum;
      const __m512i m = magnitude, s = sign;
      __asm__("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(acc) : "v"(m), "v"(s));
      return i32(acc);
#endif
    } else if constexpr (isa_has<Isa, isa::avx2_vnni>) {
#if defined(__clang__)
      return i32(_mm256_dpbusd_avx_epi32(sum, magnitude, sign));
#else
      __m256i acc = sum;
      const __m256i m = magnitude, s = sign;
      __asm__("{%{vex%}|%{vex%}} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(acc) : "x"(m), "x"(s));
      return i32(acc);
#endif
    } else if constexpr (width == 64) {
      return i32(registers::add_16(sum, _mm512_maddubs_epi16(magnitude, sign)));
    } else if constexpr (width == 32) {
      return i32(registers::add_16(sum, _mm256_maddubs_epi16(magnitude, sign)));
    } else if constexpr (isa_has<Isa, isa::sse4_1>) {
      return i32(registers::add_16(sum, _mm_maddubs_epi16(magnitude, sign)));
    } else {
      const __m128i even =
          _mm_mullo_epi16(_mm_and_si128(magnitude, _mm_set1_epi16(0xff)), _mm_srai_epi16(_mm_slli_epi16(sign, 8), 8));
      const __m128i odd = _mm_mullo_epi16(_mm_srli_epi16(magnitude, 8), _mm_srai_epi16(sign, 8));
      return i32(_mm_add_epi16(sum, _mm_add_epi16(even, odd)));
    }
  }

  static INHIBITOR_INLINE i32 signed_total(const signed_sum& sum) {
    if constexpr (has_vnni) {
      return sum;
    } else {
      return i32(registers::multiply_add_16(sum, registers::every_16(1)));
    }
  }

  static INHIBITOR_INLINE std::uint32_t nonzero_quads(const u8& x) {
    if constexpr (width == 64) {
      return _mm512_test_epi32_mask(x, x);
    } else if constexpr (width == 32) {
      const __m256i is_zero = _mm256_cmpeq_epi32(x, _mm256_setzero_si256());
      return 0xffU ^ static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(is_zero)));
    } else {
      const __m128i is_zero = _mm_cmpeq_epi32(x, _mm_setzero_si128());
      return 0xfU ^ static_cast<std::uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(is_zero)));
    }
  }

  static INHIBITOR_INLINE std::uint32_t max_of_quads(const u8& x) {
    __m128i m;
    if constexpr (width == 64) {
      const __m256i half = _mm256_max_epu8(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
      m = _mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    } else if constexpr (width == 32) {
      m = _mm_max_epu8(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    } else {
      m = x;
    }
    m = _mm_max_epu8(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epu8(m, _mm_shuffle_epi32(m, 0xb1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(m));
  }

  static INHIBITOR_INLINE i32 round_to_int(const f32& x) { return i32(registers::round_to_int(x)); }
  static INHIBITOR_INLINE f32 to_float(const i32& x) { return f32(registers::to_float(x)); }

  static INHIBITOR_INLINE u8 offset_bytes(const i32& x0, const i32& x1, const i32& x2, const i32& x3) {
    const auto packed = registers::pack_16(registers::pack_32(x0, x1), registers::pack_32(x2, x3));
    // Packing leaves the groups of four bytes of a 16-byte part side by side.
    if constexpr (width == 64) {
      const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
      return u8(registers::flip_sign_8(_mm512_permutexvar_epi32(order, packed)));
    } else if constexpr (width == 32) {
      const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
      return u8(registers::flip_sign_8(_mm256_permutevar8x32_epi32(packed, order)));
    } else {
      return u8(registers::flip_sign_8(packed));
    }
  }

  static INHIBITOR_INLINE void store_offset_bytes(std::uint8_t* p, const i32& x) {
    const __m128i offset = _mm_set1_epi8(-128);
    if constexpr (width == 64) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_xor_si128(_mm512_cvtsepi32_epi8(x), offset));
    } else if constexpr (width == 32) {
      const __m256i all = x;
      const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_xor_si128(_mm_packs_epi16(words, words), offset));
    } else {
      const __m128i words = _mm_packs_epi32(x, x);
      const int bytes = _mm_cvtsi128_si32(_mm_xor_si128(_mm_packs_epi16(words, words), offset));
      std::memcpy(p, &bytes, sizeof(bytes));
    }
  }
};

}  // namespace detail
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__x86_64__) || defined(__i386__)
