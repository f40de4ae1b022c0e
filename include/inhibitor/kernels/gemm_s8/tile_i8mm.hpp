// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm_s8/tile.hpp"

#if defined(__ARM_FEATURE_MATMUL_INT8)

#include <arm_neon.h>

// The register tile by smmla, which multiplies two rows by two outputs over 8 inputs:
//
//   a   row 2p   inputs 0..7 | row 2p+1 inputs 0..7         two loads of 8 bytes
//   b   output c inputs 0..7 | output c+1 inputs 0..7       zip1, zip2 of two steps of 4 outputs
//   c   (2p, c) (2p, c+1) (2p+1, c) (2p+1, c+1)             32-bit sums
//
// 3 pairs of rows x 8 pairs of outputs: 24 sums, two registers of weights, their zip and 3 pairs of rows fill 30 of 32
// registers. Per 8 inputs:
//
//                   Neoverse V1                        Neoverse V2
//   24 smmla        4 a cycle, latency 3 (chain 1)     4 a cycle, latency 3 (chain 1)
//    8 zips         4 a cycle, latency 2               4 a cycle, latency 2
//   14 loads        3 a cycle                          3 a cycle
//   cycles          8, of 6 for the products alone     8, of 6

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// s8_sum_tile for one group of outputs; reads nothing below the last row.
template <index_t Rows>
void s8_sum_tile_i8mm(std::int32_t* sums, index_t pitch, const std::uint8_t* x, index_t x_stride,
                      const s8_tile_weights& w) {
  constexpr int pairs = (static_cast<int>(Rows) + 1) / 2, registers = 4;
  int32x4_t sum[pairs][2 * registers];
  for_tile<pairs, 2 * registers>([&](int p, int c) INHIBITOR_INLINE_LAMBDA { sum[p][c] = vdupq_n_s32(0); });
  const auto* rows = reinterpret_cast<const std::int8_t*>(x);
  const std::int8_t* weights = w.weights;
  const char* next = w.next;
  for (index_t t = 0; t < w.steps; t += 2) {
    __builtin_prefetch(next, 0, 2);
    __builtin_prefetch(next + w.next_step, 0, 2);
    next += 2 * w.next_step;
    int8x16_t a[pairs];
    INHIBITOR_UNROLL
    for (int p = 0; p < pairs; ++p) {
      // An odd last row is its own neighbor.
      const index_t other = 2 * p + 1 < Rows ? 2 * p + 1 : 2 * p;
      a[p] = vcombine_s8(vld1_s8(rows + 2 * p * x_stride), vld1_s8(rows + other * x_stride));
    }
    INHIBITOR_UNROLL
    for (int c = 0; c < registers; ++c) {
      const int32x4_t low = vreinterpretq_s32_s8(vld1q_s8(weights + 16 * c));
      const int32x4_t high = vreinterpretq_s32_s8(vld1q_s8(weights + s8_step_bytes + 16 * c));
      const int8x16_t first = vreinterpretq_s8_s32(vzip1q_s32(low, high));
      const int8x16_t second = vreinterpretq_s8_s32(vzip2q_s32(low, high));
      INHIBITOR_UNROLL
      for (int p = 0; p < pairs; ++p) {
        sum[p][2 * c] = vmmlaq_s32(sum[p][2 * c], a[p], first);
        sum[p][2 * c + 1] = vmmlaq_s32(sum[p][2 * c + 1], a[p], second);
      }
    }
    weights += 2 * s8_step_bytes;
    rows += 8;
  }
  for_tile<pairs, registers>([&](int p, int c) INHIBITOR_INLINE_LAMBDA {
    const int32x4_t first = sum[p][2 * c], second = sum[p][2 * c + 1];
    std::int32_t* to = sums + 2 * p * pitch + 4 * c;
    vst1q_s32(to, vcombine_s32(vget_low_s32(first), vget_low_s32(second)));
    if (2 * p + 1 < Rows) vst1q_s32(to + pitch, vcombine_s32(vget_high_s32(first), vget_high_s32(second)));
  });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__ARM_FEATURE_MATMUL_INT8)
