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

/// Backward of the scoring policies:
///
///   forward    raw_ij = |q_i - k_j|_1                    | <q_i, k_j>
///   backward   dq_i += dS_ij sign(q_i - k_j)             | dq_i += dS_ij k_j
///              dk_j -= dS_ij sign(q_i - k_j)             | dk_j += dS_ij q_i
///
/// `step` adds ds * d raw/dq to dq and ds * d raw/dk to dk. `separable` says that dq and dk
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
  struct value_planes {
    B plane[Gradients::planes];
  };
  accumulate_tile<Rows, Vectors>(
      width, [](int, int) INHIBITOR_INLINE_LAMBDA { return B(T(0)); },
      [&](index_t x, int v) INHIBITOR_INLINE_LAMBDA {
        value_planes value;
        INHIBITOR_UNROLL
        for (int p = 0; p < Gradients::planes; ++p) {
          value.plane[p] = B::load_aligned(block + p * plane_size + (x * Vectors + v) * N);
        }
        return value;
      },
      [&](index_t x, int r) INHIBITOR_INLINE_LAMBDA { return B(g[r * g_stride + x]); },
      [&](int r, int v, B& sum, B g_x, const value_planes& value) INHIBITOR_INLINE_LAMBDA {
        const B w_j = B::load_aligned(w + r * pitch + v * N);
        sum = Gradients::template weight_step<Isa, T>(sum, value.plane, w_j, g_x);
      },
      [&](int r, int v, B sum) INHIBITOR_INLINE_LAMBDA { sum.store_aligned(dw + r * pitch + v * N); });
}

/// forward:  out_ik = sum_j soft(V_jk, W_ij)
/// backward: dW_ij  = sum_k g_ik dsoft(V_jk, W_ij)/dW_ij            (softmax: dP_ij = sum_k g_ik V_jk)
///
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
  B value[Keys][Vectors];
  for_tile<Keys, Vectors>([&](int j, int v)
                              INHIBITOR_INLINE_LAMBDA { value[j][v] = B::load_aligned(values + j * width + v * N); });
  accumulate_tile<Keys, Vectors>(
      rows, [&](int j, int v) INHIBITOR_INLINE_LAMBDA { return B::load_aligned(dv + j * width + v * N); },
      [&](index_t i, int v) INHIBITOR_INLINE_LAMBDA { return B::load_aligned(g + i * width + v * N); },
      [&](index_t i, int j) INHIBITOR_INLINE_LAMBDA { return B(w[i * pitch + j]); },
      [&](int j, int v, B& sum, B w_j, B g_i)
          INHIBITOR_INLINE_LAMBDA { sum = Gradients::template value_step<Isa, T>(sum, value[j][v], w_j, g_i); },
      [&](int j, int v, B sum) INHIBITOR_INLINE_LAMBDA { sum.store_aligned(dv + j * width + v * N); });
}

/// forward:  out_ik = sum_j soft(V_jk, W_ij)
/// backward: dV_jk += sum_i g_ik dsoft(V_jk, W_ij)/dV_jk            (softmax: dV_jk += sum_i P_ij g_ik)
///
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

/// Register tile of score_gradient_tile: Rows queries against `keys` keys, Vectors*N features. The sums are those of dq;
/// dk of one key is summed over the rows of a step and goes back to memory.
template <class Isa, class T, class Score, int Rows, int Vectors>
INHIBITOR_INLINE void score_gradient_register_tile(T* dq, T* dk, const T* ds, index_t pitch, const T* q, const T* k,
                                                   index_t keys, index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  struct key_features {
    B k, dk;
  };
  B q_r[Rows][Vectors];
  for_tile<Rows, Vectors>([&](int r, int v)
                              INHIBITOR_INLINE_LAMBDA { q_r[r][v] = B::load_aligned(q + r * width + v * N); });
  accumulate_tile<Rows, Vectors>(
      keys, [&](int r, int v) INHIBITOR_INLINE_LAMBDA { return B::load_aligned(dq + r * width + v * N); },
      [&](index_t j, int v) INHIBITOR_INLINE_LAMBDA {
        return key_features{B::load_aligned(k + j * width + v * N), B::load_aligned(dk + j * width + v * N)};
      },
      [&](index_t j, int r) INHIBITOR_INLINE_LAMBDA { return B(ds[r * pitch + j]); },
      [&](int r, int v, B& sum, B d, key_features& key)
          INHIBITOR_INLINE_LAMBDA { score_gradients<Score>::template step<Isa, T>(sum, key.dk, q_r[r][v], key.k, d); },
      [&](int r, int v, B sum) INHIBITOR_INLINE_LAMBDA { sum.store_aligned(dq + r * width + v * N); },
      [&](index_t j, int v, const key_features& key)
          INHIBITOR_INLINE_LAMBDA { key.dk.store_aligned(dk + j * width + v * N); });
}

/// forward:  raw_ij = score(q_i, k_j)
/// backward: dq_i  += sum_j dS_ij draw_ij/dq_i,   dk_j += sum_i dS_ij draw_ij/dk_j
///
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
