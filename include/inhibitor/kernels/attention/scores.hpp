// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/attention/pack.hpp"
#include "inhibitor/simd/float_ops.hpp"

// Scoring policies and the kernel that fills a tile of raw scores,
//     raw_ij = sum_d step(q_id, k_jd), finished with the row sums,
// lanes as keys: no horizontal sums, q broadcast, K packed once per head (pack.hpp). The scalar twin is
// reference::raw_scores. A new policy needs `step` and `finish` and nothing else.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// |q - k|_1 in two operations per element: |a - b| = 2 max(a, b) - a - b. Rounding: the error is that of sums of
/// |q_d| + |k_d|, at most 2 D eps (|q|_1 + |k|_1), so a distance far below the size of its vectors keeps fewer digits
/// than the difference form would give it. Equal vectors give exactly 0: all three sums run in the same order.
struct manhattan_by_max {
  static constexpr bool needs_sums = true;
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> sum, batch<Isa, T> q, batch<Isa, T> k) {
    return sum + maximum(q, k);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> finish(batch<Isa, T> sum, batch<Isa, T> q_sum, batch<Isa, T> k_sum) {
    return (sum + sum) - (q_sum + k_sum);
  }
};

/// |q - k|_1 by three operations per element; error at most D eps times the distance itself.
struct manhattan_by_difference {
  static constexpr bool needs_sums = false;
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> sum, batch<Isa, T> q, batch<Isa, T> k) {
    return sum + abs(q - k);
  }
};

/// <q, k>.
struct dot_product {
  static constexpr bool needs_sums = false;
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> sum, batch<Isa, T> q, batch<Isa, T> k) {
    return float_ops<Isa, T>::multiply_add(q, k, sum);
  }
};

/// Register tile: scores of Rows queries against Vectors*N keys of one block.
template <class Isa, class T, class Score, int Rows, int Vectors>
INHIBITOR_INLINE void score_register_tile(T* scores, index_t pitch, const T* q, index_t q_stride, const T* block,
                                          index_t width, const T* q_sums, const T* k_sums) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  accumulate_tile<Rows, Vectors>(
      width, [](int, int) INHIBITOR_INLINE_LAMBDA { return B(T(0)); },
      [&](index_t x, int v) INHIBITOR_INLINE_LAMBDA { return B::load_aligned(block + (x * Vectors + v) * N); },
      [&](index_t x, int r) INHIBITOR_INLINE_LAMBDA { return B(q[r * q_stride + x]); },
      [](int, int, B& sum, B q_x, B k) INHIBITOR_INLINE_LAMBDA { sum = Score::template step<Isa, T>(sum, q_x, k); },
      [&](int r, int v, B sum) INHIBITOR_INLINE_LAMBDA {
        if constexpr (Score::needs_sums) {
          sum = Score::template finish<Isa, T>(sum, B(q_sums[r]), B::load_aligned(k_sums + v * N));
        }
        sum.store_aligned(scores + r * pitch + v * N);
      });
}

/// Raw scores of `rows` queries q (rows, width) against the first n packed keys, into scores (rows, pitch); pitch is at
/// least round_up(n, N) and a multiple of N. Columns up to round_up(n, N) are written, those beyond n mean nothing.
template <class Isa, class T, class Score>
void score_tile(T* scores, index_t pitch, const T* q, index_t q_stride, index_t rows, const T* packed, index_t packed_n,
                index_t n, index_t width, const T* q_sums, const T* k_sums) {
  constexpr index_t N = lanes<Isa, T>;
  const bool far = packed_n * width * static_cast<index_t>(sizeof(T)) > far_bytes;
  // Blocks are cut by the number of packed keys, whatever part of them is wanted.
  for_vector_groups<register_tile<Isa>::vectors>(round_up(packed_n, N) / N, [&](index_t first, auto vectors) {
    constexpr int count = decltype(vectors)::value;
    const index_t j0 = first * N;
    if (j0 >= n) return;
    const index_t block = count * N * width;
    const bool ahead = far && j0 + 2 * count * N <= n;
    for_row_groups<register_tile<Isa>::rows>(rows, [&](index_t r, auto group) {
      constexpr int height = decltype(group)::value;
      if (ahead) prefetch_part(packed + j0 * width + block, block, r / height, rows / height);
      score_register_tile<Isa, T, Score, height, count>(scores + r * pitch + j0, pitch, q + r * q_stride, q_stride,
                                                        packed + j0 * width, width, q_sums + r, k_sums + j0);
    });
  });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
