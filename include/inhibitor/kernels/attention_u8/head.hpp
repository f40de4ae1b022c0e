// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "inhibitor/kernels/attention_u8/aggregate.hpp"
#include "inhibitor/kernels/attention_u8/distances.hpp"
#include "inhibitor/kernels/attention_u8/pack.hpp"
#include "inhibitor/kernels/attention_u8/thresholds.hpp"

// One head of u8 inhibitor attention against packed keys and values:
//
//   d = |q - k|_1 in bytes  ->  z = rule(d - mean d)  ->  acc = sum_j sign_j max(m_j - z_j, 0)  ->  out = acc * scale
//
// for a block of queries at a time: the block's whole rows of distances, then thresholds, are the only scratch.
// Everything between the quantized input and `acc` is integer, so the result has the same bits on every instruction set
// and for every block size. Neither allocates nor throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Queries of a block: a pass over keys or values in a near cache serves so many rows, and their scores
/// (2 bytes each) stay in the second cache up to 64 thousand keys.
inline constexpr index_t u8_block_queries = 16;
/// Groups of keys that a block of queries passes over at a time: 128 keys of 64 features are 8 KiB.
inline constexpr index_t u8_block_groups = 4;

/// Bytes from one row of distances to the next. The extra line keeps rows of 2048 keys from meeting in one set of a
/// cache.
INHIBITOR_INLINE constexpr index_t u8_row_bytes(index_t scored) { return 2 * u8_padded_keys(scored) + 64; }

/// Scratch memory of one head call.
INHIBITOR_INLINE constexpr index_t u8_scratch_bytes(index_t scored, index_t head_size, index_t value_size) {
  return u8_block_queries * (u8_row_bytes(scored) + round_up(head_size, 64) + 4 * u8_padded_value(value_size)) + 64;
}

namespace detail {

/// Lists the quads of a block of keys in which some key of some row is not fully inhibited.
template <class Isa, index_t Rows>
INHIBITOR_INLINE index_t u8_live_quads(std::uint16_t* list, const std::uint8_t* thresholds, index_t stride,
                                       const std::uint8_t* bound, index_t quads) {
  using ops = byte_ops<Isa>;
  using u8 = typename ops::u8;
  constexpr index_t quads_per_register = ops::width / 4;
  index_t live = 0;
  for (index_t t = 0; t < quads; t += quads_per_register) {
    const u8 largest = u8::load_unaligned(bound + 4 * t);
    u8 rest = ops::subtract_saturated(largest, u8::load_unaligned(thresholds + 4 * t));
    INHIBITOR_UNROLL
    for (index_t i = 1; i < Rows; ++i)
      rest = rest | ops::subtract_saturated(largest, u8::load_unaligned(thresholds + i * stride + 4 * t));
    std::uint32_t bits = ops::nonzero_quads(rest);
    if (quads - t < quads_per_register) bits &= (1U << (quads - t)) - 1;  // bytes behind the block mean nothing
    constexpr std::uint32_t all = (1U << quads_per_register) - 1;
    if (bits == all) {
      // The usual case among near keys, and a bit at a time would cost a tenth of the value step.
      for (index_t i = 0; i < quads_per_register; ++i) list[live + i] = static_cast<std::uint16_t>(t + i);
      live += quads_per_register;
      continue;
    }
    for (; bits != 0; bits &= bits - 1) {
      list[live++] = static_cast<std::uint16_t>(t + __builtin_ctz(bits));
    }
  }
  return live;
}

template <class Isa, index_t Rows>
inline void u8_value_block(std::int32_t* sums, index_t sum_stride, const std::uint8_t* thresholds, index_t stride,
                           const u8_head_call& call, index_t key, index_t quads) {
  const index_t padded_value = u8_padded_value(call.value_size);
  const std::uint8_t* values = call.values + key * padded_value * 2;
  if (call.skip) {
    std::uint16_t list[u8_value_block_keys / u8_quad_keys];
    const index_t live = u8_live_quads<Isa, Rows>(list, thresholds + key, stride, call.bound + key, quads);
    if (live < quads) {
      u8_aggregate<Isa, Rows, true>(sums, sum_stride, thresholds + key, stride, values, padded_value, list, live);
      return;
    }
  }
  u8_aggregate<Isa, Rows, false>(sums, sum_stride, thresholds + key, stride, values, padded_value, nullptr, quads);
}

/// Calls tile(row, rows) for the rows of a block: whole register tiles, then single rows.
template <class Isa, class Tile, class Single>
INHIBITOR_INLINE void u8_for_tiles(index_t rows, Tile&& tile, Single&& single) {
  index_t r = 0;
  for (; r + u8_tile_queries<Isa> <= rows; r += u8_tile_queries<Isa>) tile(r);
  for (; r < rows; ++r) single(r);
}

/// Distances of a query to thresholds, in place; keys it does not see become fully inhibited, up to `padded` of them.
/// Returns how many it sees.
template <class Isa>
INHIBITOR_INLINE index_t u8_row_thresholds(std::uint8_t* row, const u8_head_call& call, index_t query, index_t padded) {
  const auto* distances = reinterpret_cast<const std::uint16_t*>(row);
  const index_t limit = call.limits[query];
  const std::uint8_t* attend = call.attend == nullptr ? nullptr : call.attend + query * call.attend_stride;
  const auto sees = [&](index_t j) { return attend[call.order == nullptr ? j : call.order[j]] != 0; };
  index_t visible = limit;
  std::int64_t sum = 0;
  if (attend != nullptr) {
    visible = 0;
    for (index_t j = 0; j < limit; ++j) {
      if (!sees(j)) continue;
      sum += distances[j];
      ++visible;
    }
  }
  const index_t averaged = call.mean == u8_mean::none ? 0 : call.mean == u8_mean::scored ? call.scored : visible;
  if (attend == nullptr || call.mean == u8_mean::scored) {
    sum = 255 * call.head_size < 32768 ? u8_distance_sum<Isa, true>(distances, averaged)
                                       : u8_distance_sum<Isa, false>(distances, averaged);
  }
  u8_thresholds<Isa>(row, limit, padded, call.rule, u8_row_rule<Isa>(call.rule, sum, averaged));
  for (index_t j = 0; j < limit && attend != nullptr; ++j) {
    if (!sees(j)) row[j] = 255;
  }
  return visible;
}

/// Fetches the share of the next head that belongs to the queries [first, first + count), and the rows they write.
template <class Isa>
INHIBITOR_INLINE void u8_fetch_ahead(const u8_head_call& call, index_t first, index_t count) {
  constexpr index_t line = 16;  // floats
  const index_t sizes[3] = {call.head_size, call.head_size, call.value_size};
  for (int x = 0; x < 3; ++x) {
    const float_rows& rows = call.next[x];
    const index_t begin = rows.count * first / call.queries.count,
                  end = rows.count * (first + count) / call.queries.count;
    for (index_t r = begin; r < end; ++r) {
      const float* row = row_of(rows, r);
      for (index_t k = 0; k < sizes[x]; k += line) __builtin_prefetch(row + k, 0, 2);
    }
  }
  for (index_t i = first; i < first + count && call.out != nullptr && call.next[0].count > 0; ++i) {
    for (index_t k = 0; k < call.value_size; k += line) __builtin_prefetch(call.out + i * call.out_stride + k, 1);
  }
}

template <class Isa>
inline void u8_store_row(const u8_head_call& call, index_t query, index_t visible, const std::int32_t* sums) {
  using ops = byte_ops<Isa>;
  using f32 = typename ops::f32;
  using i32 = typename ops::i32;
  constexpr index_t n = ops::width / 4;
  const index_t place = query * call.out_stride;
  if (call.integers != nullptr) {
    std::memcpy(call.integers + place, sums, static_cast<std::size_t>(call.value_size) * sizeof(std::int32_t));
    return;
  }
  const f32 scale(call.normalize && visible > 0 ? call.scale / static_cast<float>(visible) : call.scale);
  float* out = call.out + place;
  index_t k = 0;
  for (; k + n <= call.value_size; k += n)
    (ops::to_float(i32::load_unaligned(sums + k)) * scale).store_unaligned(out + k);
  if (k < call.value_size) {
    float last[n];
    (ops::to_float(i32::load_unaligned(sums + k)) * scale).store_unaligned(last);
    std::memcpy(out + k, last, static_cast<std::size_t>(call.value_size - k) * sizeof(float));
  }
}

}  // namespace detail

/// Attention of one head, all queries.
template <class Isa>
inline void u8_attention_head(const u8_head_call& call) {
  constexpr index_t tile = u8_tile_queries<Isa>;
  const index_t padded_head = u8_padded_head(call.head_size);
  const index_t padded_value = u8_padded_value(call.value_size);
  const index_t stride = u8_row_bytes(call.scored);
  std::uint8_t* rows = call.scratch;
  std::int32_t* sums = reinterpret_cast<std::int32_t*>(rows + u8_block_queries * stride);
  std::uint8_t* queries = reinterpret_cast<std::uint8_t*>(sums + u8_block_queries * padded_value);

  for (index_t first = 0; first < call.queries.count; first += u8_block_queries) {
    const index_t left = call.queries.count - first;
    const index_t count = left < u8_block_queries ? left : u8_block_queries;
    const index_t most = call.limits[first + count - 1];
    const index_t scored = call.mean == u8_mean::scored ? call.scored : most;
    const index_t groups = u8_padded_keys(scored) / u8_group_keys;

    // Queries to bytes.
    detail::u8_fetch_ahead<Isa>(call, first, count);
    float_rows block = call.queries;
    block.data += first * block.stride;
    block.count = count;
    if (call.queries_in_range) {
      u8_pack_queries<Isa, true>(queries, block, call.head_size, call.inverse_step);
    } else {
      u8_pack_queries<Isa, false>(queries, block, call.head_size, call.inverse_step);
    }

    // 1. Distances of the block to all keys.
    for (index_t g = 0; g < groups; g += u8_block_groups) {
      const index_t n = groups - g < u8_block_groups ? groups - g : u8_block_groups;
      const std::uint8_t* keys = call.keys + g * u8_group_keys * padded_head;
      std::uint16_t* distances = reinterpret_cast<std::uint16_t*>(rows) + g * u8_group_keys;
      detail::u8_for_tiles<Isa>(
          count,
          [&](index_t r) {
            u8_distances<Isa, tile>(distances + r * stride / 2, stride / 2, queries + r * padded_head, padded_head,
                                    keys, n);
          },
          [&](index_t r) {
            u8_distances<Isa, 1>(distances + r * stride / 2, stride / 2, queries + r * padded_head, padded_head, keys,
                                 n);
          });
    }

    // 2. Thresholds in their place.
    index_t visible_keys[u8_block_queries];
    for (index_t i = 0; i < count; ++i) {
      visible_keys[i] = detail::u8_row_thresholds<Isa>(rows + i * stride, call, first + i, u8_padded_keys(most));
    }

    // 3. Values added up.
    std::memset(sums, 0, static_cast<std::size_t>(count * padded_value) * sizeof(std::int32_t));
    for (index_t key = 0; key < most; key += u8_value_block_keys) {
      const index_t keys = most - key < u8_value_block_keys ? most - key : u8_value_block_keys;
      const index_t quads = round_up(keys, u8_quad_keys) / u8_quad_keys;
      detail::u8_for_tiles<Isa>(
          count,
          [&](index_t r) {
            detail::u8_value_block<Isa, tile>(sums + r * padded_value, padded_value, rows + r * stride, stride, call,
                                              key, quads);
          },
          [&](index_t r) {
            detail::u8_value_block<Isa, 1>(sums + r * padded_value, padded_value, rows + r * stride, stride, call, key,
                                           quads);
          });
    }
    for (index_t i = 0; i < count; ++i) {
      detail::u8_store_row<Isa>(call, first + i, visible_keys[i], sums + i * padded_value);
    }
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
