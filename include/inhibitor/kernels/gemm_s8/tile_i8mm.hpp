// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm_s8/tile.hpp"
#include "inhibitor/simd/matrix_ops_arm.hpp"

#if defined(__ARM_FEATURE_MATMUL_INT8)

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
  using ops = matrix_ops;
  constexpr int pairs = (static_cast<int>(Rows) + 1) / 2, registers = 4;
  ops::sums sum[pairs][2 * registers];
  for_tile<pairs, 2 * registers>([&](int p, int c) INHIBITOR_INLINE_LAMBDA { sum[p][c] = ops::zero(); });
  const auto* rows = reinterpret_cast<const std::int8_t*>(x);
  const std::int8_t* weights = w.weights;
  const char* next = w.next;
  for (index_t t = 0; t < w.steps; t += 2) {
    __builtin_prefetch(next, 0, 2);
    __builtin_prefetch(next + w.next_step, 0, 2);
    next += 2 * w.next_step;
    ops::bytes pair[pairs];
    INHIBITOR_UNROLL
    for (int p = 0; p < pairs; ++p) {
      // An odd last row is its own neighbor.
      const index_t other = 2 * p + 1 < Rows ? 2 * p + 1 : 2 * p;
      pair[p] = ops::join_rows(rows + 2 * p * x_stride, rows + other * x_stride);
    }
    INHIBITOR_UNROLL
    for (int c = 0; c < registers; ++c) {
      const ops::bytes low = ops::load(weights + 16 * c), high = ops::load(weights + s8_step_bytes + 16 * c);
      const ops::bytes first = ops::join_columns<false>(low, high), second = ops::join_columns<true>(low, high);
      INHIBITOR_UNROLL
      for (int p = 0; p < pairs; ++p) {
        sum[p][2 * c] = ops::add_products(sum[p][2 * c], pair[p], first);
        sum[p][2 * c + 1] = ops::add_products(sum[p][2 * c + 1], pair[p], second);
      }
    }
    weights += 2 * s8_step_bytes;
    rows += 8;
  }
  for_tile<pairs, registers>([&](int p, int c) INHIBITOR_INLINE_LAMBDA {
    std::int32_t* to = sums + 2 * p * pitch + 4 * c;
    ops::store_row<0>(to, sum[p][2 * c], sum[p][2 * c + 1]);
    if (2 * p + 1 < Rows) ops::store_row<1>(to + pitch, sum[p][2 * c], sum[p][2 * c + 1]);
  });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__ARM_FEATURE_MATMUL_INT8)
