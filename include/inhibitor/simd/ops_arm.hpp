// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__aarch64__)

#include <arm_neon.h>

#include "inhibitor/simd/ops.hpp"

// Native forms of portable_ops on aarch64 NEON (no dot-product extension needed).
//
//   operation         instructions            note
//   add_abs_diff      uabd + uadalp           four 16-bit sums per key, joined in gather_distances; each is below
//                                             2 * 255 * 33 for 257 features
//   gather_distances  3 addp, uzp1, uzp2
//   add_signed        2 logic + 2 uadalp      positive and negative parts apart, because no NEON product takes
//                                             unsigned by signed bytes

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

template <class Isa>
struct native_ops<Isa, std::enable_if_t<isa_has<Isa, isa::neon>>> : portable_ops<Isa> {
  using base = portable_ops<Isa>;
  using typename base::f32;
  using typename base::i32;
  using typename base::u16;
  using typename base::u32;
  using typename base::u64;
  using typename base::u8;
  using distance = uint16x8_t;
  struct signed_sum {
    uint16x8_t positive, negative;
  };

  static INHIBITOR_INLINE u64 sums_of_8_abs_diff(const u8& a, const u8& b) {
    return u64(vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vabdq_u8(a, b)))));
  }

  static INHIBITOR_INLINE distance distance_zero() { return vdupq_n_u16(0); }

  static INHIBITOR_INLINE distance add_abs_diff(const distance& d, const u8& a, const u8& b) {
    return vpadalq_u8(d, vabdq_u8(a, b));
  }

  static INHIBITOR_INLINE u16 gather_distances(const distance& d0, const distance& d1, const distance& d2,
                                               const distance& d3) {
    // Lanes after the sums: d0 key 0, d0 key 1, d1 key 0, ...; the keys of one accumulator are to stand four apart.
    const uint16x8_t sums = vpaddq_u16(vpaddq_u16(d0, d1), vpaddq_u16(d2, d3));
    return u16(vcombine_u16(vget_low_u16(vuzp1q_u16(sums, sums)), vget_low_u16(vuzp2q_u16(sums, sums))));
  }

  static INHIBITOR_INLINE u16 multiply_high(const u16& a, const u16& b) {
    const uint16x8_t x = a, y = b;
    const uint32x4_t low = vmull_u16(vget_low_u16(x), vget_low_u16(y));
    const uint32x4_t high = vmull_high_u16(x, y);
    return u16(vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high)));
  }

  static INHIBITOR_INLINE void store_saturated(std::uint8_t* p, const u16& x) { vst1_u8(p, vqmovn_u16(x)); }

  static INHIBITOR_INLINE signed_sum signed_zero() { return {vdupq_n_u16(0), vdupq_n_u16(0)}; }

  static INHIBITOR_INLINE signed_sum add_signed(const signed_sum& sum, const u8& magnitude, const u8& sign) {
    const uint8x16_t is_negative = vcltzq_s8(vreinterpretq_s8_u8(sign));
    return {vpadalq_u8(sum.positive, vbicq_u8(magnitude, is_negative)),
            vpadalq_u8(sum.negative, vandq_u8(magnitude, is_negative))};
  }

  static INHIBITOR_INLINE i32 signed_total(const signed_sum& sum) {
    return i32(vreinterpretq_s32_u32(vsubq_u32(vpaddlq_u16(sum.positive), vpaddlq_u16(sum.negative))));
  }

  static INHIBITOR_INLINE std::uint32_t max_of_quads(const u8& x) {
    uint8x16_t m = x;
    m = vmaxq_u8(m, vextq_u8(m, m, 8));
    m = vmaxq_u8(m, vextq_u8(m, m, 4));
    return vgetq_lane_u32(vreinterpretq_u32_u8(m), 0);
  }

  static INHIBITOR_INLINE i32 round_to_int(const f32& x) { return i32(vcvtnq_s32_f32(x)); }
  static INHIBITOR_INLINE f32 to_float(const i32& x) { return f32(vcvtq_f32_s32(x)); }

  static INHIBITOR_INLINE std::uint64_t sum_of_lanes(const u32& x) { return vaddlvq_u32(x); }

  static INHIBITOR_INLINE u8 offset_bytes(const i32& x0, const i32& x1, const i32& x2, const i32& x3) {
    const int16x8_t low = vcombine_s16(vqmovn_s32(x0), vqmovn_s32(x1));
    const int16x8_t high = vcombine_s16(vqmovn_s32(x2), vqmovn_s32(x3));
    const int8x16_t bytes = vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
    return u8(veorq_u8(vreinterpretq_u8_s8(bytes), vdupq_n_u8(128)));
  }

  static INHIBITOR_INLINE void store_offset_bytes(std::uint8_t* p, const i32& x) {
    const int16x4_t words = vqmovn_s32(x);
    const uint8x8_t bytes = veor_u8(vreinterpret_u8_s8(vqmovn_s16(vcombine_s16(words, words))), vdup_n_u8(128));
    const std::uint32_t word = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    std::memcpy(p, &word, sizeof(word));
  }
};

}  // namespace detail
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__aarch64__)
