// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/scores.hpp"
#include "inhibitor/kernels/weight_gradients.hpp"

// The three products of the backward pass, each a register tile and its loop nest:
//   weight_gradient_tile   sums over value features, lanes are keys:      dW (rows, keys)
//   value_gradient_tile    sums over the queries of a tile, lanes are features: dV (keys, Dv)
//   score_gradient_tile    dQ (rows, D) and dK (keys, D) together, lanes are features
// Columns of a row beyond what its query attends to hold a neutral weight or a zero gradient, so tiles are rectangular.

namespace inhibitor {
namespace kernels {

/// Backward of the scoring policies: adds ds * d raw/dq to dq and ds * d raw/dk to dk.
template <class Score>
struct score_gradients {  // both Manhattan forms
  template <class Isa, class T>
  static INHIBITOR_INLINE void step(batch<Isa, T>& dq, batch<Isa, T>& dk, batch<Isa, T> q, batch<Isa, T> k,
                                    batch<Isa, T> ds) {
    const batch<Isa, T> s = float_ops<Isa, T>::sign(q - k);
    dq = float_ops<Isa, T>::multiply_add(s, ds, dq);
    dk = float_ops<Isa, T>::multiply_add(s, -ds, dk);
  }
};

template <>
struct score_gradients<dot_product> {
  template <class Isa, class T>
  static INHIBITOR_INLINE void step(batch<Isa, T>& dq, batch<Isa, T>& dk, batch<Isa, T> q, batch<Isa, T> k,
                                    batch<Isa, T> ds) {
    dq = float_ops<Isa, T>::multiply_add(k, ds, dq);
    dk = float_ops<Isa, T>::multiply_add(q, ds, dk);
  }
};

/// Overwrites dw (rows, pitch), columns [0, n) rounded up to N: sum_k weight_step. w (rows, pitch); g (rows, g_stride);
/// planes: the value planes packed with lanes as keys, plane_size numbers apart, of packed_n keys.
template <class Isa, class T, class Gradients>
void weight_gradient_tile(T* dw, const T* w, index_t pitch, const T* g, index_t g_stride, index_t rows, const T* planes,
                          index_t plane_size, index_t packed_n, index_t n, index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  constexpr int P = Gradients::planes;
  for_vector_groups<register_tile<Isa>::vectors>(round_up(packed_n, N) / N, [&](index_t first, auto vectors) {
    constexpr int count = decltype(vectors)::value;
    const index_t j0 = first * N;
    if (j0 >= n) return;
    for_row_groups<Gradients::rows>(rows, [&](index_t r0, auto group) {
      constexpr int height = decltype(group)::value;
      B sum[height][count];
      INHIBITOR_UNROLL
      for (int r = 0; r < height; ++r) {
        INHIBITOR_UNROLL
        for (int v = 0; v < count; ++v) sum[r][v] = B(T(0));
      }
      const T* block = planes + j0 * width;
      for (index_t x = 0; x < width; ++x) {
        B value[count][P];
        INHIBITOR_UNROLL
        for (int v = 0; v < count; ++v) {
          INHIBITOR_UNROLL
          for (int p = 0; p < P; ++p) value[v][p] = B::load_aligned(block + p * plane_size + (x * count + v) * N);
        }
        INHIBITOR_UNROLL
        for (int r = 0; r < height; ++r) {
          const B g_x(g[(r0 + r) * g_stride + x]);
          INHIBITOR_UNROLL
          for (int v = 0; v < count; ++v) {
            const B w_j = B::load_aligned(w + (r0 + r) * pitch + j0 + v * N);
            sum[r][v] = Gradients::template weight_step<Isa, T>(sum[r][v], value[v], w_j, g_x);
          }
        }
      }
      INHIBITOR_UNROLL
      for (int r = 0; r < height; ++r) {
        INHIBITOR_UNROLL
        for (int v = 0; v < count; ++v) sum[r][v].store_aligned(dw + (r0 + r) * pitch + j0 + v * N);
      }
    });
  });
}

/// Adds to dv (n, width) the contributions of `rows` queries: w (rows, pitch), g (rows, width). values (n, width) is
/// plane 0. width is a multiple of N.
template <class Isa, class T, class Gradients>
void value_gradient_tile(T* dv, const T* values, const T* w, index_t pitch, const T* g, index_t rows, index_t n,
                         index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  for_row_groups<Gradients::rows>(n, [&](index_t j0, auto group) {
    constexpr int height = decltype(group)::value;
    for_vector_groups<register_tile<Isa>::vectors>(width / N, [&](index_t first, auto vectors) {
      constexpr int count = decltype(vectors)::value;
      const index_t offset = j0 * width + first * N;
      B sum[height][count], value[height][count];
      INHIBITOR_UNROLL
      for (int r = 0; r < height; ++r) {
        INHIBITOR_UNROLL
        for (int v = 0; v < count; ++v) {
          sum[r][v] = B::load_aligned(dv + offset + r * width + v * N);
          value[r][v] = B::load_aligned(values + offset + r * width + v * N);
        }
      }
      for (index_t i = 0; i < rows; ++i) {
        B g_i[count];
        INHIBITOR_UNROLL
        for (int v = 0; v < count; ++v) g_i[v] = B::load_aligned(g + i * width + first * N + v * N);
        INHIBITOR_UNROLL
        for (int r = 0; r < height; ++r) {
          const B w_j(w[i * pitch + j0 + r]);
          INHIBITOR_UNROLL
          for (int v = 0; v < count; ++v) {
            sum[r][v] = Gradients::template value_step<Isa, T>(sum[r][v], value[r][v], w_j, g_i[v]);
          }
        }
      }
      INHIBITOR_UNROLL
      for (int r = 0; r < height; ++r) {
        INHIBITOR_UNROLL
        for (int v = 0; v < count; ++v) sum[r][v].store_aligned(dv + offset + r * width + v * N);
      }
    });
  });
}

/// Adds to dq (rows, width) and dk (n, width) the gradients ds (rows, pitch) of raw scores of q (rows, width) against
/// k (n, width). width is a multiple of N. Keys in blocks whose K and dK stay in the level-1 cache.
template <class Isa, class T, class Score>
void score_gradient_tile(T* dq, T* dk, const T* ds, index_t pitch, const T* q, const T* k, index_t rows, index_t n,
                         index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  const index_t fitting = index_t{8} * 1024 / (width * static_cast<index_t>(sizeof(T)));
  const index_t block = fitting > 8 ? fitting : 8;
  for (index_t j0 = 0; j0 < n; j0 += block) {
    const index_t j1 = n - j0 < block ? n : j0 + block;
    for_row_groups<2>(rows, [&](index_t r0, auto group) {
      constexpr int height = decltype(group)::value;
      for_vector_groups<register_tile<Isa>::vectors>(width / N, [&](index_t first, auto vectors) {
        constexpr int count = decltype(vectors)::value;
        const index_t offset = r0 * width + first * N;
        B sum[height][count], q_r[height][count];
        INHIBITOR_UNROLL
        for (int r = 0; r < height; ++r) {
          INHIBITOR_UNROLL
          for (int v = 0; v < count; ++v) {
            sum[r][v] = B::load_aligned(dq + offset + r * width + v * N);
            q_r[r][v] = B::load_aligned(q + offset + r * width + v * N);
          }
        }
        for (index_t j = j0; j < j1; ++j) {
          const index_t at = j * width + first * N;
          B d[height];
          INHIBITOR_UNROLL
          for (int r = 0; r < height; ++r) d[r] = B(ds[(r0 + r) * pitch + j]);
          INHIBITOR_UNROLL
          for (int v = 0; v < count; ++v) {
            const B k_j = B::load_aligned(k + at + v * N);
            B dk_j = B::load_aligned(dk + at + v * N);
            INHIBITOR_UNROLL
            for (int r = 0; r < height; ++r) {
              score_gradients<Score>::template step<Isa, T>(sum[r][v], dk_j, q_r[r][v], k_j, d[r]);
            }
            dk_j.store_aligned(dk + at + v * N);
          }
        }
        INHIBITOR_UNROLL
        for (int r = 0; r < height; ++r) {
          INHIBITOR_UNROLL
          for (int v = 0; v < count; ++v) sum[r][v].store_aligned(dq + offset + r * width + v * N);
        }
      });
    });
  }
}

}  // namespace kernels
}  // namespace inhibitor
