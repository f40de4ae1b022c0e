// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/tiles.hpp"
#include "inhibitor/simd/float_ops.hpp"
#include "inhibitor/simd/partial.hpp"
#include "inhibitor/simd/transpose.hpp"

// Two layouts of a (n, width) matrix whose rows are keys.
//
// Lanes are keys (score kernels). Blocks of W*N keys, W = 4, 2 or 1 (2 or 1 with 16 registers), as large as still fit:
//
//     block of keys j0 ... j0 + W*N-1, starting at j0 * width:
//
//       feature 0          | key j0 | key j0+1 | ... | key j0 + W*N-1 |
//       feature 1          | the same keys                            |
//       ...
//       feature width-1    | the same keys                            |         keys beyond n are zero
//
// Lanes are features (value kernels).
//
//     key j, starting at j * round_up(width, N):
//
//                          | feature 0 | feature 1 | ... | feature width-1 | zeros up to a whole register |

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Elements of the two layouts.
template <class Isa, class T>
constexpr index_t packed_keys_size(index_t n, index_t width) {
  return round_up(n, lanes<Isa, T>) * width;
}
template <class Isa, class T>
constexpr index_t packed_rows_size(index_t n, index_t width) {
  return n * round_up(width, lanes<Isa, T>);
}

/// Packs rows order[0..n) (null: 0..n) of src (*, width) with lanes as keys. dst: packed_keys_size, aligned.
template <class Isa, class T>
void pack_keys(T* dst, const T* src, index_t stride, const index_t* order, index_t n, index_t width) {
  constexpr index_t N = lanes<Isa, T>;
  for_vector_groups<register_tile<Isa>::vectors>(round_up(n, N) / N, [&](index_t first, auto vectors) {
    constexpr index_t block = decltype(vectors)::value * N;
    for (index_t v = 0; v < decltype(vectors)::value; ++v) {
      const index_t j0 = (first + v) * N, keys = n - j0 < N ? n - j0 : N;
      T* out = dst + first * N * width + v * N;
      const T* rows[N];
      for (index_t lane = 0; lane < keys; ++lane) {
        rows[lane] = src + (order != nullptr ? order[j0 + lane] : j0 + lane) * stride;
      }
      index_t x = 0;
      for (; keys == N && x + N <= width; x += N) {
        transpose_square<Isa, T>(out + x * block, block, rows);
        for (index_t lane = 0; lane < N; ++lane) rows[lane] += N;
      }
      for (index_t lane = 0; lane < N; ++lane) {
        for (index_t rest = x; rest < width; ++rest)
          out[rest * block + lane] = lane < keys ? rows[lane][rest - x] : T(0);
      }
    }
  });
}

/// Packs rows order[0..n) (null: 0..n) of src (*, width) with lanes as features. dst: packed_rows_size, aligned.
template <class Isa, class T>
void pack_rows(T* dst, const T* src, index_t stride, const index_t* order, index_t n, index_t width) {
  constexpr index_t N = lanes<Isa, T>;
  const index_t padded = round_up(width, N);
  for (index_t j = 0; j < n; ++j) {
    const T* row = src + (order != nullptr ? order[j] : j) * stride;
    T* out = dst + j * padded;
    index_t x = 0;
    for (; x + N <= width; x += N) batch<Isa, T>::load_unaligned(row + x).store_aligned(out + x);
    if (x < width) load_first<Isa, T>(row + x, width - x).store_aligned(out + x);
  }
}

/// The first of n keys packed with lanes as keys (n > 0), into key (width).
template <class Isa, class T>
void unpack_first_key(T* key, const T* packed, index_t n, index_t width) {
  constexpr index_t N = lanes<Isa, T>;
  for_vector_groups<register_tile<Isa>::vectors>(round_up(n, N) / N, [&](index_t first, auto vectors) {
    for (index_t x = 0; x < width && first == 0; ++x) key[x] = packed[x * decltype(vectors)::value * N];
  });
}

/// Copies `rows` rows of src (*, width) to dst (rows, width) so that a tile of queries lies together in the cache.
template <class T>
INHIBITOR_INLINE void copy_rows(T* INHIBITOR_RESTRICT dst, const T* INHIBITOR_RESTRICT src, index_t stride,
                                index_t rows, index_t width) {
  for (index_t r = 0; r < rows; ++r) {
    for (index_t x = 0; x < width; ++x) dst[r * width + x] = src[r * stride + x];
  }
}

/// The way back from pack_rows: rows order[0..n) (null: 0..n) of dst (*, width) += factor * packed (n, width).
template <class Isa, class T>
void add_rows(T* dst, index_t stride, const index_t* order, const T* packed, index_t n, index_t width, T factor) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  const index_t padded = round_up(width, N);
  const B scale(factor);
  for (index_t j = 0; j < n; ++j) {
    T* row = dst + (order != nullptr ? order[j] : j) * stride;
    for (index_t x = 0; x < width; x += N) {
      const index_t count = width - x < N ? width - x : N;
      const B sum = float_ops<Isa, T>::multiply_add(B::load_aligned(packed + j * padded + x), scale,
                                                    load_first<Isa, T>(row + x, count));
      store_first<Isa, T>(row + x, count, sum);
    }
  }
}

/// Sums over features of keys packed with lanes as keys, into sums (round_up(n, N)). Features are added one after the
/// other, as the score kernel adds them.
template <class Isa, class T>
void packed_key_sums(T* sums, const T* packed, index_t n, index_t width) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  for_vector_groups<register_tile<Isa>::vectors>(round_up(n, N) / N, [&](index_t first, auto vectors) {
    constexpr int count = decltype(vectors)::value;
    const T* block = packed + first * N * width;
    B sum[count];
    INHIBITOR_UNROLL
    for (int v = 0; v < count; ++v) sum[v] = B(T(0));
    for (index_t x = 0; x < width; ++x) {
      INHIBITOR_UNROLL
      for (int v = 0; v < count; ++v) sum[v] += B::load_aligned(block + (x * count + v) * N);
    }
    INHIBITOR_UNROLL
    for (int v = 0; v < count; ++v) sum[v].store_aligned(sums + (first + v) * N);
  });
}

/// Sums over features of `rows` rows of src (rows, width), one after the other, four rows side by side.
template <class Isa, class T>
void row_sums(T* sums, const T* src, index_t stride, index_t rows, index_t width) {
  for_row_groups<4>(rows, [&](index_t r, auto group) {
    constexpr int count = decltype(group)::value;
    T sum[count] = {};
    for (index_t x = 0; x < width; ++x) {
      INHIBITOR_UNROLL
      for (int i = 0; i < count; ++i) sum[i] += src[(r + i) * stride + x];
    }
    for (int i = 0; i < count; ++i) sums[r + i] = sum[i];
  });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
