// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention_u8/head.hpp"

// Keys far from the queries are the fully inhibited ones. Skipping works on quads of keys for a tile of queries, so it
// finds little when far keys are strewn among near ones. With all keys visible to every query their order is free: sums
// and means are exact integers. This brings the keys into the order of their distance from a few sampled queries.
// Neither allocates nor throws; the result of the attention does not depend on it.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

inline constexpr index_t u8_order_samples = 4;
/// Buckets of the counting sort, at least half of them used: an order within a hundredth of the range is all that
/// skipping needs.
inline constexpr index_t u8_order_buckets = 256;

/// Reorders order[0, count), the caller's numbers of the first `count` packed keys, near ones first. queries (L, D), L
/// > 0; scratch as for the head call.
template <class Isa>
inline void u8_order_keys(index_t* order, index_t count, const std::uint8_t* keys, const float_rows& queries,
                          index_t head_size, float inverse_step, std::uint8_t* scratch) {
  const index_t padded_head = u8_padded_head(head_size), padded = u8_padded_keys(count);
  auto* distances = reinterpret_cast<std::uint16_t*>(scratch);
  auto* sums = reinterpret_cast<std::uint32_t*>(scratch + 2 * padded);
  auto* sorted = reinterpret_cast<index_t*>(scratch + 6 * padded);
  std::uint8_t query[round_up(u8_max_head_size, 16)];
  std::memset(sums, 0, static_cast<std::size_t>(padded) * sizeof(std::uint32_t));
  for (index_t n = 0; n < u8_order_samples; ++n) {
    float_rows sample = queries;
    sample.data = row_of(queries, (2 * n + 1) * queries.count / (2 * u8_order_samples));
    sample.count = 1;
    u8_pack_queries<Isa, true>(query, sample, head_size, inverse_step);
    u8_distances<Isa, 1>(distances, padded, query, padded_head, keys, padded / u8_group_keys);
    for (index_t j = 0; j < count; ++j) sums[j] += distances[j];
  }
  std::uint32_t least = ~0U, most = 0;
  for (index_t j = 0; j < count; ++j) {
    least = sums[j] < least ? sums[j] : least;
    most = sums[j] > most ? sums[j] : most;
  }
  int shift = 0;
  while ((most - least) >> shift >= static_cast<std::uint32_t>(u8_order_buckets)) ++shift;
  index_t places[u8_order_buckets + 1] = {};
  for (index_t j = 0; j < count; ++j) {
    sums[j] = (sums[j] - least) >> shift;
    ++places[sums[j] + 1];
  }
  for (index_t x = 0; x < u8_order_buckets; ++x) places[x + 1] += places[x];
  for (index_t j = 0; j < count; ++j) sorted[places[sums[j]]++] = order[j];
  std::memcpy(order, sorted, static_cast<std::size_t>(count) * sizeof(index_t));
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
