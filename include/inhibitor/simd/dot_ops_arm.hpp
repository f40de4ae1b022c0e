// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__aarch64__)

#include <arm_neon.h>

#include "inhibitor/simd/dot_ops.hpp"

// Native forms of portable_dots on aarch64.
//
//   neon_dot   sdot: 16 products and their sums in one instruction
//   neon       smull, smull2, addp, sadalp: two products of bytes within +-127 fit 16 bits, their sums are added in 32

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

template <class Isa>
struct native_dots<Isa, std::enable_if_t<isa_has<Isa, isa::neon>>> : portable_dots<Isa> {
  using base = portable_dots<Isa>;
  using typename base::i32;
  using weights = int8x16_t;
  using repeated = int8x16_t;

  template <int Part>
  static INHIBITOR_INLINE weights load_weights(const std::int8_t* p) {
    return vld1q_s8(p);
  }
  template <int Part>
  static INHIBITOR_INLINE repeated repeat(const std::uint8_t* p) {
    return vreinterpretq_s8_u8(base::ops::broadcast_4(p));
  }

  static INHIBITOR_INLINE i32 add_products(const i32& sum, const repeated& x, const weights& w) {
#if defined(__ARM_FEATURE_DOTPROD)
    if constexpr (isa_has<Isa, isa::neon_dot>) return i32(vdotq_s32(sum, x, w));
#endif
    const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w)), high = vmull_high_s8(x, w);
    return i32(vpadalq_s16(sum, vpaddq_s16(low, high)));
  }
};

}  // namespace detail
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__aarch64__)
