// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/aggregate.hpp"
#include "inhibitor/kernels/attention/scores.hpp"
#include "inhibitor/kernels/attention/weight_gradients.hpp"

// The three products of the backward pass, each a register tile and its loop nest:
//   weight_gradient_tile   sums over value features, lanes are keys:      dW (rows, keys)
//   value_gradient_tile    sums over the queries of a tile, lanes are features: dV (keys, Dv)
//   score_gradient_tile    dQ (rows, D) and dK (keys, D) together, lanes are features
// Columns of a row beyond what its query attends to hold a neutral weight or a zero gradient, so tiles are rectangular.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Backward of the scoring policies: adds ds * d raw/dq to dq and ds * d raw/dk to dk. `separable` says that dq and dk
/// have no work in common, so that they are two plain products: dq += ds K, dk += ds^T Q.
template <class Score>
struct score_gradients {  // both Manhattan forms share the sign of q - k
  static constexpr bool separable = false;
  template <class Isa, class T>
  static INHIBITOR_INLINE void step(batch<Isa, T>& dq, batch<Isa, T>& dk, batch<Isa, T> q, batch<Isa, T> k,
                                    batch<Isa, T> ds) {
    const batch<Isa, T> s = float_ops<Isa, T>::sign(q - k);
    dq = float_ops<Isa, T>::multiply_add(s, ds, dq);
    dk = float_ops<Isa, T>::multiply_subtract(s, ds, dk);
  }
};

template <>
struct score_gradients<dot_product> {
  static constexpr bool separable = true;
};

/// Register tile of weight_gradient_tile: Rows queries, Vectors*N keys of one block.
template <class Isa, class T, class Gradients, int Rows, int Vectors>
INHIBITOR_INLINE void weight_gradient_register_tile(T* dw, const T* w, index_t pitch, const T* g, index_t g_stride,
                                                    const T* block, index_t plane_size, index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  constexpr int P = Gradients::planes;
  B sum[Rows][Vectors];
  INHIBITOR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) sum[r][v] = B(T(0));
  }
  for (index_t x = 0; x < width; ++x) {
    B value[Vectors][P];
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      INHIBITOR_UNROLL
      for (int p = 0; p < P; ++p) value[v][p] = B::load_aligned(block + p * plane_size + (x * Vectors + v) * N);
    }
    INHIBITOR_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const B g_x(g[r * g_stride + x]);
      INHIBITOR_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        const B w_j = B::load_aligned(w + r * pitch + v * N);
        sum[r][v] = Gradients::template weight_step<Isa, T>(sum[r][v], value[v], w_j, g_x);
      }
    }
  }
  INHIBITOR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) sum[r][v].store_aligned(dw + r * pitch + v * N);
  }
}

/// Overwrites dw (rows, pitch), columns [0, n) rounded up to N: sum_k weight_step. w (rows, pitch); g (rows, g_stride);
/// planes: the value planes packed with lanes as keys, plane_size numbers apart, of packed_n keys.
template <class Isa, class T, class Gradients>
void weight_gradient_tile(T* dw, const T* w, index_t pitch, const T* g, index_t g_stride, index_t rows, const T* planes,
                          index_t plane_size, index_t packed_n, index_t n, index_t width) {
  constexpr index_t N = lanes<Isa, T>;
  const bool far = packed_n * width * static_cast<index_t>(sizeof(T)) > far_bytes;
  for_vector_groups<register_tile<Isa>::vectors>(round_up(packed_n, N) / N, [&](index_t first, auto vectors) {
    constexpr int count = decltype(vectors)::value;
    const index_t j0 = first * N;
    if (j0 >= n) return;
    const index_t block = count * N * width;
    const bool ahead = far && j0 + 2 * count * N <= n;
    for_row_groups<Gradients::rows>(rows, [&](index_t r, auto group) {
      constexpr int height = decltype(group)::value;
      for (int p = 0; ahead && p < Gradients::planes; ++p) {
        prefetch_part(planes + p * plane_size + j0 * width + block, block, r / height, rows / height);
      }
      weight_gradient_register_tile<Isa, T, Gradients, height, count>(dw + r * pitch + j0, w + r * pitch + j0, pitch,
                                                                      g + r * g_stride, g_stride, planes + j0 * width,
                                                                      plane_size, width);
    });
  });
}

/// Register tile of value_gradient_tile: Keys keys, Vectors*N features, all `rows` queries.
template <class Isa, class T, class Gradients, int Keys, int Vectors>
INHIBITOR_INLINE void value_gradient_register_tile(T* dv, const T* values, const T* w, index_t pitch, const T* g,
                                                   index_t rows, index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  B sum[Keys][Vectors], value[Keys][Vectors];
  INHIBITOR_UNROLL
  for (int r = 0; r < Keys; ++r) {
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      sum[r][v] = B::load_aligned(dv + r * width + v * N);
      value[r][v] = B::load_aligned(values + r * width + v * N);
    }
  }
  for (index_t i = 0; i < rows; ++i) {
    B g_i[Vectors];
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) g_i[v] = B::load_aligned(g + i * width + v * N);
    INHIBITOR_UNROLL
    for (int r = 0; r < Keys; ++r) {
      const B w_j(w[i * pitch + r]);
      INHIBITOR_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        sum[r][v] = Gradients::template value_step<Isa, T>(sum[r][v], value[r][v], w_j, g_i[v]);
      }
    }
  }
  INHIBITOR_UNROLL
  for (int r = 0; r < Keys; ++r) {
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) sum[r][v].store_aligned(dv + r * width + v * N);
  }
}

/// Adds to dv (n, width) the contributions of `rows` queries: w (rows, pitch), g (rows, width). values (n, width) is
/// plane 0. width is a multiple of N.
template <class Isa, class T, class Gradients>
void value_gradient_tile(T* dv, const T* values, const T* w, index_t pitch, const T* g, index_t rows, index_t n,
                         index_t width) {
  constexpr index_t N = lanes<Isa, T>;
  const bool far = n * width * static_cast<index_t>(sizeof(T)) > far_bytes;
  for_row_groups<Gradients::rows>(n, [&](index_t j, auto group) {
    constexpr int height = decltype(group)::value;
    if (far && j + 3 * height <= n) {
      prefetch_part(dv + (j + 2 * height) * width, height * width, 0, 1);
      prefetch_part(values + (j + 2 * height) * width, height * width, 0, 1);
    }
    for_vector_groups<register_tile<Isa>::vectors>(width / N, [&](index_t first, auto vectors) {
      constexpr int count = decltype(vectors)::value;
      const index_t offset = j * width + first * N;
      value_gradient_register_tile<Isa, T, Gradients, height, count>(dv + offset, values + offset, w + j, pitch,
                                                                     g + first * N, rows, width);
    });
  });
}

/// Register tile of score_gradient_tile: Rows queries against `keys` keys, Vectors*N features.
template <class Isa, class T, class Score, int Rows, int Vectors>
INHIBITOR_INLINE void score_gradient_register_tile(T* dq, T* dk, const T* ds, index_t pitch, const T* q, const T* k,
                                                   index_t keys, index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  B sum[Rows][Vectors], q_r[Rows][Vectors];
  INHIBITOR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      sum[r][v] = B::load_aligned(dq + r * width + v * N);
      q_r[r][v] = B::load_aligned(q + r * width + v * N);
    }
  }
  for (index_t j = 0; j < keys; ++j) {
    B k_j[Vectors], dk_j[Vectors];
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      k_j[v] = B::load_aligned(k + j * width + v * N);
      dk_j[v] = B::load_aligned(dk + j * width + v * N);
    }
    INHIBITOR_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const B d(ds[r * pitch + j]);
      INHIBITOR_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        score_gradients<Score>::template step<Isa, T>(sum[r][v], dk_j[v], q_r[r][v], k_j[v], d);
      }
    }
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) dk_j[v].store_aligned(dk + j * width + v * N);
  }
  INHIBITOR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    INHIBITOR_UNROLL
    for (int v = 0; v < Vectors; ++v) sum[r][v].store_aligned(dq + r * width + v * N);
  }
}

/// Adds to dq (rows, width) and dk (n, width) the gradients ds (rows, pitch) of raw scores of q (rows, width) against
/// k (n, width). width is a multiple of N. Keys in blocks whose K and dK stay in the level-1 cache.
template <class Isa, class T, class Score>
void score_gradient_tile(T* dq, T* dk, const T* ds, index_t pitch, const T* q, const T* k, index_t rows, index_t n,
                         index_t width) {
  if constexpr (score_gradients<Score>::separable) {
    accumulate_rows<Isa, T, softmax>(dq, ds, pitch, rows, k, width, n, [n](index_t) { return n; });
    value_gradient_tile<Isa, T, weight_gradients<softmax>>(dk, k, ds, pitch, q, rows, n, width);
  } else {
    constexpr index_t N = lanes<Isa, T>;
    const index_t fitting = value_block_bytes / 2 / (width * static_cast<index_t>(sizeof(T)));
    const index_t block = fitting > 8 ? fitting : 8;
    const bool far = n * width * static_cast<index_t>(sizeof(T)) > far_bytes;
    for (index_t j = 0; j < n; j += block) {
      const index_t keys = n - j < block ? n - j : block;
      for_row_groups<2>(rows, [&](index_t r, auto group) {
        constexpr int height = decltype(group)::value;
        if (far && j + 2 * block <= n) {
          prefetch_part(k + (j + block) * width, block * width, r / height, rows / height);
          prefetch_part(dk + (j + block) * width, block * width, r / height, rows / height);
        }
        for_vector_groups<register_tile<Isa>::vectors>(width / N, [&](index_t first, auto vectors) {
          constexpr int count = decltype(vectors)::value;
          const index_t row = r * width + first * N, column = j * width + first * N;
          score_gradient_register_tile<Isa, T, Score, height, count>(dq + row, dk + column, ds + r * pitch + j, pitch,
                                                                     q + row, k + column, keys, width);
        });
      });
    }
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
