// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/aggregate.hpp"
#include "inhibitor/simd/index_list.hpp"
#include "inhibitor/simd/transpose.hpp"

// Exact skipping. Key j adds nothing to query i when W_ij >= max_k |V_jk| (unsigned form: max_k V_jk). That bound is
// taken once per key; then, query by query and block of keys by block of keys, the others are listed and only they
// reach the value step.
//
// A skipped key would have added v - limit(v, w) = v - v = 0, and x + 0 = x: the result is the same to the bit as that
// of the same steps over all keys (skipping<..., false>). Those are the direct ones, soft(v, w) added up key by key.
// The shared value sum of weights.hpp saves an operation per element, but there a skipped key would be missing from
// both sums, each of which then rounds differently: to the bit is impossible in that form. The two forms differ by at
// most the rounding stated in weights.hpp, 2 n eps sum_j |v_jk|, of which the direct form has the smaller part.
//
// Lists belong to one query, so the register tile is one row of features: its sums are independent chains, and the
// operations per value (limit, subtract, add) outweigh the loads that several rows would share.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// A ReLU aggregation over the keys that are not fully inhibited; Drop = false: over all, by the same operations.
template <class Aggregate, bool Drop = true>
struct skipping : Aggregate {};

/// Whether a policy lists keys, and whether it drops any.
template <class Aggregate>
inline constexpr bool lists_keys = false;
template <class Aggregate, bool Drop>
inline constexpr bool lists_keys<skipping<Aggregate, Drop>> = true;
template <class Aggregate>
inline constexpr bool drops_keys = false;
template <class Aggregate>
inline constexpr bool drops_keys<skipping<Aggregate, true>> = true;

/// Keys per list. The list lies on the stack; 64 keys of 64 floats fill value_block_bytes.
inline constexpr index_t most_listed_keys = 256;
/// Registers of sums: as many independent chains as cover the latency of an addition.
inline constexpr int skip_vectors = 4;

/// bounds[j] = Aggregate::magnitude of key j's largest value; NaN, which nothing reaches, if a value is not finite.
/// values (n, value_pitch) packed; bounds (round_up(n, N)).
template <class Isa, class T, class Aggregate>
void key_bounds(T* bounds, const T* values, index_t n, index_t value_pitch) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  alignas(64) T largest[N * N], lanes_as_keys[N * N];
  for (index_t j = 0; j < n; j += N) {
    const T* rows[N];
    for (index_t key = 0; key < N; ++key) {
      rows[key] = largest + key * N;
      if (j + key >= n) {
        B(T(0)).store_aligned(largest + key * N);
        continue;
      }
      B top(T(0)), not_finite(T(0));
      for (index_t x = 0; x < value_pitch; x += N) {
        const B v = B::load_aligned(values + (j + key) * value_pitch + x);
        top = maximum(top, Aggregate::template magnitude<Isa, T>(v));
        not_finite += v - v;
      }
      (top + not_finite).store_aligned(largest + key * N);
    }
    transpose_square<Isa, T>(lanes_as_keys, N, rows);
    B top(T(0)), not_finite(T(0));
    for (index_t lane = 0; lane < N; ++lane) {
      const B x = B::load_aligned(lanes_as_keys + lane * N);
      top = maximum(top, x);
      not_finite += x - x;
    }
    (top + not_finite).store_aligned(bounds + j);
  }
}

/// Lists the keys j < n with weights[j] < bounds[j], or NaN in either; returns how many. With Drop = false all. The
/// list needs room for n + list_room numbers.
template <class Isa, class T, bool Drop>
INHIBITOR_INLINE index_t list_live_keys(std::uint32_t* list, const T* weights, const T* bounds, index_t n) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  index_t live = 0, j = 0;
  for (; Drop && j + N <= n; j += N) {
    live += list_where_not_at_least<Isa, T>(list + live, B::load_unaligned(weights + j), B::load_unaligned(bounds + j),
                                            static_cast<std::uint32_t>(j));
  }
  for (; j < n; ++j) {
    list[live] = static_cast<std::uint32_t>(j);
    live += Drop && weights[j] >= bounds[j] ? 0 : 1;
  }
  return live;
}

/// acc (rows, value_pitch) plus the live keys of every query r among its first limit_of(r), which do not decrease.
/// Other arguments as aggregate_tile has them; bounds (keys) from key_bounds.
template <class Isa, class T, class Aggregate, class Limit>
void accumulate_live_keys(T* acc, const T* weights, index_t pitch, Limit&& limit_of, index_t rows, const T* values,
                          index_t value_pitch, const T* bounds) {
  constexpr index_t N = lanes<Isa, T>;
  const index_t fitting = value_block_bytes / (value_pitch * static_cast<index_t>(sizeof(T))) / N * N;
  const index_t block = fitting < N ? N : fitting > most_listed_keys ? most_listed_keys : fitting;
  alignas(64) std::uint32_t list[most_listed_keys + list_room<Isa, T>];  // written beyond its end, a register at a time
  const index_t n = limit_of(rows - 1);
  for (index_t j = 0; j < n; j += block) {
    for (index_t r = 0; r < rows; ++r) {
      const index_t left = limit_of(r) - j, keys = left < block ? left : block;
      if (keys <= 0) continue;
      const T* row = weights + r * pitch + j;
      const index_t live = list_live_keys<Isa, T, drops_keys<Aggregate>>(list, row, bounds + j, keys);
      for_vector_groups<skip_vectors>(value_pitch / N, [&](index_t x, auto vectors) {
        aggregate_register_tile<Isa, T, Aggregate, true, 1, decltype(vectors)::value>(
            acc + r * value_pitch + x * N, value_pitch, row, pitch, values + j * value_pitch + x * N, value_pitch, live,
            [&list](index_t t) INHIBITOR_INLINE_LAMBDA { return static_cast<index_t>(list[t]); });
      });
    }
  }
}

/// Output rows of a tile over the live keys alone, of the first limit_of(r) for query r: aggregate_tile without a shared
/// value sum.
template <class Isa, class T, class Aggregate, class Limit>
void aggregate_live_tile(const value_tile<T>& tile, const T* bounds, Limit&& limit_of) {
  const index_t value_pitch = round_up(tile.value_size, lanes<Isa, T>);
  fill_zero<Isa, T>(tile.acc, tile.rows * value_pitch);
  accumulate_live_keys<Isa, T, Aggregate>(tile.acc, tile.weights, tile.pitch, limit_of, tile.rows, tile.values,
                                          value_pitch, bounds);
  for (index_t r = 0; r < tile.rows; ++r) store_output_row<Isa, T, Aggregate>(tile, r, nullptr);
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
