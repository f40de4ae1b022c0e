// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/attention_u8/layout.hpp"
#include "inhibitor/simd/ops.hpp"

// Byte distances of a few queries to packed keys:
//
//   d_ij = sum_k |q_ik - k_jk|,   at most 255 * 257 = 65535
//
// Queries are rows of D' bytes, keys are packed as layout.hpp draws. Neither allocates nor throws. The result is
// exact, so every instruction set gives the same; the scalar twin is in reference/u8_attention.hpp.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Queries of a register tile. Each query costs four accumulators (the four rows of a key group), which next to four
/// registers of keys and one of the query must fit 32 registers (AVX-512, NEON) or 16.
template <class Isa>
inline constexpr index_t u8_tile_queries = has_32_registers<Isa> ? 4 : 2;

namespace detail {

/// One register tile: `Rows` queries against the keys of one register width of a group, all features.
template <class Isa, int Rows>
INHIBITOR_INLINE void u8_distance_tile(std::uint16_t* distances, index_t distance_stride, const std::uint8_t* queries,
                                       index_t padded_head, const std::uint8_t* keys) {
  using ops = byte_ops<Isa>;
  using u8 = typename ops::u8;
  using distance = typename ops::distance;
  constexpr int key_rows = 4;  // of 64 bytes in a group of 32 keys by 8 features
  distance sums[Rows][key_rows];
  accumulate_tile<Rows, key_rows>(
      padded_head / 8, [](int, int) INHIBITOR_INLINE_LAMBDA { return ops::distance_zero(); },
      [&](index_t f, int c) INHIBITOR_INLINE_LAMBDA { return u8::load_unaligned(keys + (f * key_rows + c) * 64); },
      [&](index_t f, int i) INHIBITOR_INLINE_LAMBDA { return ops::broadcast_8(queries + i * padded_head + f * 8); },
      [](int, int, distance& sum, const u8& query, const u8& key)
          INHIBITOR_INLINE_LAMBDA { sum = ops::add_abs_diff(sum, query, key); },
      [&](int i, int c, const distance& sum) INHIBITOR_INLINE_LAMBDA { sums[i][c] = sum; });
  INHIBITOR_UNROLL
  for (int i = 0; i < Rows; ++i) {
    ops::gather_distances(sums[i][0], sums[i][1], sums[i][2], sums[i][3])
        .store_unaligned(distances + i * distance_stride);
  }
}

}  // namespace detail

/// Distances of `Rows` queries to `groups` groups of 32 keys.
/// distances (Rows, 32 * groups) by stride, queries (Rows, D'), keys packed (32 * groups, D').
template <class Isa, index_t Rows>
inline void u8_distances(std::uint16_t* distances, index_t distance_stride, const std::uint8_t* queries,
                         index_t padded_head, const std::uint8_t* keys, index_t groups) {
  constexpr index_t width = byte_ops<Isa>::width;
  for (index_t g = 0; g < groups; ++g) {
    for (index_t part = 0; part < 64; part += width) {
      detail::u8_distance_tile<Isa, static_cast<int>(Rows)>(distances + g * u8_group_keys + part / 2, distance_stride,
                                                            queries, padded_head,
                                                            keys + g * u8_group_keys * padded_head + part);
    }
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
