// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/attention/pack.hpp"
#include "inhibitor/simd/float_ops.hpp"
#include "inhibitor/simd/partial.hpp"

// Scoring policies and the kernel that fills a tile of raw scores,
//     raw_ij = sum_d step(q_id, k_jd), finished with the row sums,
// lanes as keys: no horizontal sums, q broadcast, K packed once per head (pack.hpp). The scalar twin is
// reference::raw_scores. A new policy needs `step` and `finish` and nothing else.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// |q - k|_1 by three operations per element; error at most D eps times the distance itself.
struct manhattan_by_difference {
  static constexpr bool needs_sums = false;
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> sum, batch<Isa, T> q, batch<Isa, T> k) {
    return sum + abs(q - k);
  }
};

/// |q - k|_1 in two operations per element: |a - b| = 2 max(a, b) - a - b. Rounding: the error is that of sums of
/// |q_d| + |k_d|, at most 2 D eps (|q|_1 + |k|_1), so it is no form for vectors that are large against their distance.
/// Rows of queries for which that is so are scored by differences instead (rows_by_difference). Equal vectors give
/// exactly 0: all three sums run in the same order.
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

/// Queries of a tile, by bits: bit r stands for row r.
using row_bits = std::uint64_t;
static_assert(max_tile_rows <= 64, "a bit for every query of a tile");

/// The rows of q (rows, width) for which manhattan_by_max would lose digits, because queries and keys share an offset or
/// lie close together far from the origin. One key stands for all of them; with d its distance to the query, these are
///   |sum q + sum k| > d     the running sums grow beyond the distance, as with an offset of one sign
///   |q|_1 > 2 d             numbers are large against the distance, whatever their signs
/// The choice is the row's own, so that rows do not depend on those computed with them; taken with the first key of the
/// head, it does not depend on keys that come later either. Sums that are not finite choose nothing.
template <class Isa, class T>
row_bits rows_by_difference(const T* q, index_t q_stride, index_t rows, index_t width, const T* q_sums, const T* key,
                            T key_sum) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  row_bits bits = 0;
  for (index_t r = 0; r < rows; ++r) {
    const T* row = q + r * q_stride;
    B differences(T(0)), magnitudes(T(0));
    for (index_t x = 0; x < width; x += N) {
      const index_t count = width - x < N ? width - x : N;
      const B q_x = load_first<Isa, T>(row + x, count);
      differences += abs(q_x - load_first<Isa, T>(key + x, count));
      magnitudes += abs(q_x);
    }
    const T distance = horizontal_sum<Isa, T>(differences), sum = q_sums[r] + key_sum;
    const bool far = (sum < T(0) ? -sum : sum) > distance || horizontal_sum<Isa, T>(magnitudes) > distance + distance;
    bits |= row_bits{far} << r;
  }
  return bits;
}

/// What score_tile reads.
template <class T>
struct score_operands {
  const T* q;  ///< (rows, width)
  index_t q_stride;
  const T* q_sums;  ///< (rows) and
  const T* k_sums;  ///< (packed_n) of policies that need them
  const T* keys;    ///< packed with lanes as keys
  index_t packed_n;
  index_t width;
  row_bits by_difference;  ///< rows of manhattan_by_max to be scored by the other form
};

/// The keys of one block against Rows queries from row r on, of which some go by differences.
template <class Isa, class T, int Rows, int Vectors>
void score_mixed_rows(T* scores, index_t pitch, const score_operands<T>& in, index_t r, index_t j0) {
  const T* block = in.keys + j0 * in.width;
  const row_bits bits = in.by_difference >> r, all = (row_bits{1} << Rows) - 1;
  if ((bits & all) == all) {
    score_register_tile<Isa, T, manhattan_by_difference, Rows, Vectors>(
        scores + r * pitch + j0, pitch, in.q + r * in.q_stride, in.q_stride, block, in.width, nullptr, nullptr);
    return;
  }
  for (int i = 0; i < Rows; ++i) {
    T* row = scores + (r + i) * pitch + j0;
    const T* q = in.q + (r + i) * in.q_stride;
    if ((bits >> i & 1) != 0) {
      score_register_tile<Isa, T, manhattan_by_difference, 1, Vectors>(row, pitch, q, in.q_stride, block, in.width,
                                                                       nullptr, nullptr);
    } else {
      score_register_tile<Isa, T, manhattan_by_max, 1, Vectors>(row, pitch, q, in.q_stride, block, in.width,
                                                                in.q_sums + r + i, in.k_sums + j0);
    }
  }
}

/// Raw scores of `rows` queries against the first n packed keys, into scores (rows, pitch); pitch is at least
/// round_up(n, N) and a multiple of N. Columns up to round_up(n, N) are written, those beyond n mean nothing.
template <class Isa, class T, class Score>
void score_tile(T* scores, index_t pitch, const score_operands<T>& in, index_t rows, index_t n) {
  constexpr index_t N = lanes<Isa, T>;
  const index_t width = in.width;
  const bool far = in.packed_n * width * static_cast<index_t>(sizeof(T)) > far_bytes;
  // Blocks are cut by the number of packed keys, whatever part of them is wanted.
  for_vector_groups<register_tile<Isa>::vectors>(round_up(in.packed_n, N) / N, [&](index_t first, auto vectors) {
    constexpr int count = decltype(vectors)::value;
    const index_t j0 = first * N;
    if (j0 >= n) return;
    const T* keys = in.keys + j0 * width;
    const index_t block = count * N * width;
    const bool ahead = far && j0 + 2 * count * N <= n;
    for_row_groups<register_tile<Isa>::rows>(rows, [&](index_t r, auto group) {
      constexpr int height = decltype(group)::value;
      if (ahead) prefetch_part(keys + block, block, r / height, rows / height);
      if constexpr (Score::needs_sums) {
        if ((in.by_difference >> r & ((row_bits{1} << height) - 1)) != 0) {
          score_mixed_rows<Isa, T, height, count>(scores, pitch, in, r, j0);
          return;
        }
      }
      score_register_tile<Isa, T, Score, height, count>(scores + r * pitch + j0, pitch, in.q + r * in.q_stride,
                                                        in.q_stride, keys, width, in.q_sums + r, in.k_sums + j0);
    });
  });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
