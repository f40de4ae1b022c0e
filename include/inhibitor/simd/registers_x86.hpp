// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__) || defined(__i386__)

#include <immintrin.h>

#include "inhibitor/base/config.hpp"

// Integer registers of 16, 32 and 64 bytes under one set of names: what the three widths have in common is written once,
// below. Latency in cycles, ports in Intel's numbering: those of registers of 16 and 32 bytes / of 64 bytes.
//
//   operation                    instruction      Ice Lake server        Zen 3 and 4
//   sad_u8                       psadbw           3   p5   / p5          3
//   add_saturated, subtract_...  paddus, psubus   1   p01  / p0          1
//   add_16, add_32               paddw, paddd     1   p015 / p05         1
//   multiply_high_16             pmulhuw          5   p01  / p0          3   two pipes of four
//   multiply_add_16              pmaddwd          5   p01  / p0          3   two pipes of four
//   high_bytes_16, move_up_16    psraw, psllw     1   p01  / p0          1   two pipes of four
//   round_to_int, to_float       cvtps2dq, ...    4   p01  / p0          3
//   pack_32, pack_16             packssdw, ...    works within 16 bytes
//
// Elsewhere in ops_x86.hpp: pmaddubsw as pmaddwd; vpdpbusd 5 cycles, p01 / p0, on Zen 4 four cycles; vpternlogq 1 cycle,
// p015 / p05.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

/// Registers of `Bytes` bytes, as far as the compiler flags have them.
template <int Bytes>
struct x86_register;

#define INHIBITOR_X86_REGISTER(bytes, mm, logic, integers, floats)                                   \
  template <>                                                                                        \
  struct x86_register<bytes> {                                                                       \
    using i = integers;                                                                              \
    static INHIBITOR_INLINE i sad_u8(i a, i b) { return mm##_sad_epu8(a, b); }                       \
    static INHIBITOR_INLINE i add_saturated_u8(i a, i b) { return mm##_adds_epu8(a, b); }            \
    static INHIBITOR_INLINE i add_saturated_u16(i a, i b) { return mm##_adds_epu16(a, b); }          \
    static INHIBITOR_INLINE i subtract_saturated_u8(i a, i b) { return mm##_subs_epu8(a, b); }       \
    static INHIBITOR_INLINE i subtract_saturated_u16(i a, i b) { return mm##_subs_epu16(a, b); }     \
    static INHIBITOR_INLINE i add_16(i a, i b) { return mm##_add_epi16(a, b); }                      \
    static INHIBITOR_INLINE i add_32(i a, i b) { return mm##_add_epi32(a, b); }                      \
    static INHIBITOR_INLINE i multiply_high_16(i a, i b) { return mm##_mulhi_epu16(a, b); }          \
    /* Per 32-bit lane the sum of the products of two neighboring signed 16-bit lanes. */            \
    static INHIBITOR_INLINE i multiply_add_16(i a, i b) { return mm##_madd_epi16(a, b); }            \
    static INHIBITOR_INLINE i every_16(short x) { return mm##_set1_epi16(x); }                       \
    /* The odd bytes of 16-bit lanes, signed; and the even ones moved there. */                      \
    static INHIBITOR_INLINE i high_bytes_16(i a) { return mm##_srai_epi16(a, 8); }                   \
    static INHIBITOR_INLINE i move_up_16(i a) { return mm##_slli_epi16(a, 8); }                      \
    /* Of each four 16-bit lanes the middle two change places. */                                    \
    static INHIBITOR_INLINE i exchange_middle_16(i a) {                                              \
      return mm##_shufflehi_epi16(mm##_shufflelo_epi16(a, 0xd8), 0xd8);                              \
    }                                                                                                \
    static INHIBITOR_INLINE i flip_sign_8(i a) { return mm##_xor_##logic(a, mm##_set1_epi8(-128)); } \
    static INHIBITOR_INLINE i pack_32(i a, i b) { return mm##_packs_epi32(a, b); }                   \
    static INHIBITOR_INLINE i pack_16(i a, i b) { return mm##_packs_epi16(a, b); }                   \
    static INHIBITOR_INLINE i round_to_int(floats a) { return mm##_cvtps_epi32(a); }                 \
    static INHIBITOR_INLINE floats to_float(i a) { return mm##_cvtepi32_ps(a); }                     \
  };

#if defined(__SSE2__)
INHIBITOR_X86_REGISTER(16, _mm, si128, __m128i, __m128)
#endif
#if defined(__AVX2__)
INHIBITOR_X86_REGISTER(32, _mm256, si256, __m256i, __m256)
#endif
#if defined(__AVX512BW__)
INHIBITOR_X86_REGISTER(64, _mm512, si512, __m512i, __m512)
#endif

#undef INHIBITOR_X86_REGISTER

}  // namespace detail
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__x86_64__) || defined(__i386__)
