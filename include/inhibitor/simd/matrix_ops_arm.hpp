// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/dot_ops.hpp"

#if defined(__ARM_FEATURE_MATMUL_INT8)

#include <arm_neon.h>

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// smmla: two rows by two columns over 8 signed bytes, in sums (row 0, column 0), (0, 1), (1, 0), (1, 1).
struct matrix_ops {
  using bytes = int8x16_t;
  using sums = int32x4_t;

  static INHIBITOR_INLINE sums zero() { return vdupq_n_s32(0); }
  /// 8 bytes of either row.
  static INHIBITOR_INLINE bytes join_rows(const std::int8_t* row0, const std::int8_t* row1) {
    return vcombine_s8(vld1_s8(row0), vld1_s8(row1));
  }
  /// Columns 0 and 1, or 2 and 3, of four that lie 4 bytes side by side: bytes 0 to 3 of each at `low`, 4 to 7 at `high`.
  template <bool Second>
  static INHIBITOR_INLINE bytes join_columns(const bytes& low, const bytes& high) {
    const int32x4_t a = vreinterpretq_s32_s8(low), b = vreinterpretq_s32_s8(high);
    return vreinterpretq_s8_s32(Second ? vzip2q_s32(a, b) : vzip1q_s32(a, b));
  }
  static INHIBITOR_INLINE bytes load(const std::int8_t* p) { return vld1q_s8(p); }
  static INHIBITOR_INLINE sums add_products(const sums& s, const bytes& rows, const bytes& columns) {
    return vmmlaq_s32(s, rows, columns);
  }
  /// Row `Row` of four columns from the sums of two pairs.
  template <int Row>
  static INHIBITOR_INLINE void store_row(std::int32_t* p, const sums& first, const sums& second) {
    vst1q_s32(p, Row == 0 ? vcombine_s32(vget_low_s32(first), vget_low_s32(second))
                          : vcombine_s32(vget_high_s32(first), vget_high_s32(second)));
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__ARM_FEATURE_MATMUL_INT8)
