// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention_u8/layout.hpp"
#include "inhibitor/simd/ops.hpp"

// Byte distances of a few queries to packed keys:
//
//   d_ij = sum_k |q_ik - k_jk|,   at most 255 * 257 = 65535
//
// Queries are rows of D' bytes, keys are packed as u8_layout.hpp draws. Neither allocates nor throws. The result is
// exact, so every instruction set gives the same; the scalar twin is in reference/u8_attention.hpp.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Queries of a register tile. Each query costs four accumulators (the four rows of a key group), which next to four
/// registers of keys and one of the query must fit 32 registers (AVX-512, NEON) or 16.
template <class Isa>
inline constexpr index_t u8_tile_queries = isa_has<Isa, isa::avx512> || isa_has<Isa, isa::neon> ? 4 : 2;

namespace detail {

/// One register tile: `Rows` queries against the keys of one register width of a group, all features.
template <class Isa, index_t Rows>
INHIBITOR_INLINE void u8_distance_tile(std::uint16_t* distances, index_t distance_stride, const std::uint8_t* queries,
                                       index_t padded_head, const std::uint8_t* keys) {
  using ops = byte_ops<Isa>;
  using u8 = typename ops::u8;
  typename ops::distance sums[Rows][4];
  INHIBITOR_UNROLL
  for (index_t i = 0; i < Rows; ++i) {
    INHIBITOR_UNROLL
    for (auto& sum : sums[i]) sum = ops::distance_zero();
  }
  for (index_t k = 0; k < padded_head; k += 8, keys += 4 * 64) {
    const u8 key0 = u8::load_unaligned(keys);
    const u8 key1 = u8::load_unaligned(keys + 64);
    const u8 key2 = u8::load_unaligned(keys + 128);
    const u8 key3 = u8::load_unaligned(keys + 192);
    INHIBITOR_UNROLL
    for (index_t i = 0; i < Rows; ++i) {
      const u8 query = ops::broadcast_8(queries + i * padded_head + k);
      sums[i][0] = ops::add_abs_diff(sums[i][0], query, key0);
      sums[i][1] = ops::add_abs_diff(sums[i][1], query, key1);
      sums[i][2] = ops::add_abs_diff(sums[i][2], query, key2);
      sums[i][3] = ops::add_abs_diff(sums[i][3], query, key3);
    }
  }
  INHIBITOR_UNROLL
  for (index_t i = 0; i < Rows; ++i) {
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
      detail::u8_distance_tile<Isa, Rows>(distances + g * u8_group_keys + part / 2, distance_stride, queries,
                                          padded_head, keys + g * u8_group_keys * padded_head + part);
    }
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
