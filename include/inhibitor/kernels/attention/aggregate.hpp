// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/attention/pack.hpp"
#include "inhibitor/kernels/attention/weights.hpp"
#include "inhibitor/kernels/elementwise.hpp"

// The value step: a tile of weights (rows, keys) and packed values (keys, Dv) to output accumulators (rows, Dv),
//     acc_ik = sum_j step(acc_ik, V_jk, W_ij),
// lanes as features, the weight of each (i, j) broadcast from the tile, keys in blocks that stay in the level-1 cache.
// Keys are added in ascending order whatever the blocking. The scalar twin is reference::aggregate.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// What the value step of a tile of queries reads and writes.
template <class T>
struct value_tile {
  T* out;  ///< (rows, Dv), overwritten
  index_t out_stride;
  const T* weights;  ///< (rows, keys)
  index_t pitch;
  const T* factors;  ///< (rows) of the output rows
  index_t rows;
  const T* values;     ///< (keys, Dv rounded up to N), packed
  index_t value_size;  ///< Dv
  T* acc;              ///< (rows, Dv rounded up to N), scratch
};

/// Bytes of values a block may take: half of a 32 KiB level-1 cache.
inline constexpr index_t value_block_bytes = index_t{16} * 1024;

/// The keys of a register tile: all of them. Kernels that leave keys out bring a list instead (skip.hpp).
struct keys_in_order {
  INHIBITOR_INLINE index_t operator()(index_t t) const { return t; }
};

/// Register tile: keys key_of(0 ... n-1) of `values`, Rows queries, Vectors registers of features. acc (Rows,
/// acc_pitch) in and out.
template <class Isa, class T, class Aggregate, bool Exact, int Rows, int Vectors, class Keys = keys_in_order>
INHIBITOR_INLINE void aggregate_register_tile(T* acc, index_t acc_pitch, const T* weights, index_t pitch,
                                              const T* values, index_t value_pitch, index_t n, Keys key_of = {}) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  accumulate_tile<Rows, Vectors>(
      n, [&](int r, int x) INHIBITOR_INLINE_LAMBDA { return B::load_aligned(acc + r * acc_pitch + x * N); },
      [&](index_t t, int x)
          INHIBITOR_INLINE_LAMBDA { return B::load_aligned(values + key_of(t) * value_pitch + x * N); },
      [&](index_t t, int r) INHIBITOR_INLINE_LAMBDA { return B(weights[r * pitch + key_of(t)]); },
      [](int, int, B& sum, B w, B v) INHIBITOR_INLINE_LAMBDA {
        sum = Exact ? Aggregate::template step_exact<Isa, T>(sum, v, w) : Aggregate::template step<Isa, T>(sum, v, w);
      },
      [&](int r, int x, B sum) INHIBITOR_INLINE_LAMBDA { sum.store_aligned(acc + r * acc_pitch + x * N); });
}

/// acc (rows, value_pitch) plus the keys [0, limit_of(r)) of every register tile of queries that starts at row r; n is
/// the largest limit.
template <class Isa, class T, class Aggregate, bool Exact = false, class Limit>
void accumulate_rows(T* acc, const T* weights, index_t pitch, index_t rows, const T* values, index_t value_pitch,
                     index_t n, Limit&& limit_of) {
  constexpr index_t N = lanes<Isa, T>;
  const index_t fitting = value_block_bytes / (value_pitch * static_cast<index_t>(sizeof(T)));
  const index_t block = fitting > 8 ? fitting : 8;
  const bool far = n * value_pitch * static_cast<index_t>(sizeof(T)) > far_bytes;
  for (index_t j = 0; j < n; j += block) {
    for_row_groups<register_tile<Isa>::rows>(rows, [&](index_t r, auto group) {
      constexpr int height = decltype(group)::value;
      const index_t left = limit_of(r) - j, keys = left < block ? left : block;
      if (keys <= 0) return;
      if (far && j + 2 * block <= n) {
        prefetch_part(values + (j + block) * value_pitch, block * value_pitch, r / height, rows / height);
      }
      for_vector_groups<register_tile<Isa>::vectors>(value_pitch / N, [&](index_t x, auto vectors) {
        aggregate_register_tile<Isa, T, Aggregate, Exact, height, decltype(vectors)::value>(
            acc + r * value_pitch + x * N, value_pitch, weights + r * pitch + j, pitch,
            values + j * value_pitch + x * N, value_pitch, keys);
      });
    });
  }
}

/// Running sum of the first `count` value rows; `next` advances it. Rows are added in ascending order.
template <class Isa, class T>
INHIBITOR_INLINE void advance_value_sum(T* sum, index_t& count, index_t next, const T* values, index_t value_pitch) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  for (index_t x = 0; x < value_pitch && count < next; x += N) {
    B s = B::load_aligned(sum + x);
    for (index_t j = count; j < next; ++j) s += B::load_aligned(values + j * value_pitch + x);
    s.store_aligned(sum + x);
  }
  if (count < next) count = next;
}

/// Writes output row r from its accumulators and the value sum (Dv rounded up to N; null: zero).
template <class Isa, class T, class Aggregate>
INHIBITOR_INLINE void store_output_row(const value_tile<T>& tile, index_t r, const T* value_sum) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  const T* acc = tile.acc + r * round_up(tile.value_size, N);
  T* out = tile.out + r * tile.out_stride;
  const B factor(tile.factors[r]), zero(T(0));
  for (index_t x = 0; x < tile.value_size; x += N) {
    const B sum = value_sum != nullptr ? B::load_aligned(value_sum + x) : zero;
    const B result = Aggregate::template finish<Isa, T>(B::load_aligned(acc + x), sum, factor);
    store_first<Isa, T>(out + x, tile.value_size - x < N ? tile.value_size - x : N, result);
  }
}

/// Output rows of a tile whose query r attends to the first limits[r] keys. value_sum (Dv rounded up to N) and summed
/// carry the running sum of values from tile to tile.
template <class Isa, class T, class Aggregate>
void aggregate_tile(const value_tile<T>& tile, const index_t* limits, T* value_sum, index_t& summed) {
  constexpr index_t N = lanes<Isa, T>;
  constexpr int row_group = register_tile<Isa>::rows;
  constexpr int vector_group = register_tile<Isa>::vectors;
  const index_t rows = tile.rows, value_pitch = round_up(tile.value_size, N);
  fill_zero<Isa, T>(tile.acc, rows * value_pitch);

  // Keys that all queries of a register tile attend to.
  accumulate_rows<Isa, T, Aggregate>(tile.acc, tile.weights, tile.pitch, rows, tile.values, value_pitch,
                                     limits[rows - 1], [limits](index_t r) { return limits[r]; });

  for_row_groups<row_group>(rows, [&](index_t r, auto group) {
    const index_t common = limits[r];
    if constexpr (Aggregate::uses_value_sum) {
      advance_value_sum<Isa, T>(value_sum, summed, common, tile.values, value_pitch);
    }
    for (index_t i = r; i < r + decltype(group)::value; ++i) {
      // Keys that only the later queries of the register tile attend to (the causal diagonal).
      if (limits[i] > common) {
        for_vector_groups<vector_group>(value_pitch / N, [&](index_t x, auto vectors) {
          aggregate_register_tile<Isa, T, Aggregate, true, 1, decltype(vectors)::value>(
              tile.acc + i * value_pitch + x * N, value_pitch, tile.weights + i * tile.pitch + common, tile.pitch,
              tile.values + common * value_pitch + x * N, value_pitch, limits[i] - common);
        });
      }
      store_output_row<Isa, T, Aggregate>(tile, i, value_sum);
    }
  });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
