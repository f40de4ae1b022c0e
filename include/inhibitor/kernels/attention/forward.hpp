// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/assert.hpp"
#include "inhibitor/kernels/attention/masked_rows.hpp"
#include "inhibitor/kernels/attention/packed_head.hpp"
#include "inhibitor/kernels/attention/scores.hpp"
#include "inhibitor/kernels/attention/skip.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/kernels/scratch.hpp"

// Attention of one head, fused: keys and values are packed once, then per tile of queries
//   1. raw scores of the tile, 2. weights in place, 3. values added up.
// Scratch is O(tile x S + S x (D + Dv)); never an (L, S) array. Does not allocate, does not throw. Any scoring policy
// of scores.hpp composes with any aggregation policy of weights.hpp. Extents may be 0 except D.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Scratch of attention_forward_packed.
template <class Isa, class T>
struct tile_scratch {
  T *value_sum, *first_key, *q, *q_sums, *factors, *scores, *acc, *compact, *bounds;
  index_t* places;
  index_t pitch, rows, size;

  /// Lays the arrays out in `base` (64-byte aligned, `size` numbers); null measures `size`.
  tile_scratch(T* base, index_t queries, index_t scored, index_t head_size, index_t value_size) {
    constexpr index_t N = lanes<Isa, T>;
    scratch_cursor<T> cursor(base);
    pitch = score_pitch<T>(scored);
    rows = tile_rows(pitch * static_cast<index_t>(sizeof(T)));
    if (rows > queries) rows = queries;
    value_sum = cursor.take(round_up(value_size, N));
    first_key = cursor.take(head_size);
    q = cursor.take(rows * head_size);
    q_sums = cursor.take(rows);
    factors = cursor.take(rows);
    scores = cursor.take(rows * pitch);
    acc = cursor.take(rows * round_up(value_size, N));
    compact = cursor.take(pitch);
    bounds = cursor.take(pitch);
    places = cursor.take_indices(scored + 1);
    size = cursor.used();
  }
};

/// Scratch of attention_forward.
template <class Isa, class T>
struct forward_scratch {
  T *keys, *key_sums, *values, *tile;
  index_t size;

  /// Lays the arrays out in `base` (64-byte aligned, `size` numbers); null measures `size`.
  forward_scratch(T* base, index_t queries, index_t scored, index_t head_size, index_t value_size) {
    scratch_cursor<T> cursor(base);
    keys = cursor.take(packed_keys_size<Isa, T>(scored, head_size));
    key_sums = cursor.take(score_pitch<T>(scored));
    values = cursor.take(packed_rows_size<Isa, T>(scored, value_size));
    tile = cursor.take(tile_scratch<Isa, T>(nullptr, queries, scored, head_size, value_size).size);
    size = cursor.used();
  }
};

namespace detail {

/// Step 1: raw scores of the tile.
template <class Isa, class T, class Score>
INHIBITOR_INLINE void score_queries(const tile_scratch<Isa, T>& s, const head_inputs<T>& in,
                                    const packed_head<T>& packed, const query_tile& tile) {
  const index_t D = in.head_size;
  copy_rows(s.q, in.q + tile.first * in.q_stride, in.q_stride, tile.rows, D);
  row_bits by_difference = 0;
  if constexpr (Score::needs_sums) {
    row_sums<Isa, T>(s.q_sums, s.q, D, tile.rows, D);
    if (tile.scored > 0) {
      by_difference = rows_by_difference<Isa, T>(s.q, D, tile.rows, D, s.q_sums, s.first_key, packed.key_sums[0]);
    }
  }
  score_tile<Isa, T, Score>(s.scores, s.pitch,
                            {s.q, D, s.q_sums, packed.key_sums, packed.keys, packed.packed_keys, D, by_difference},
                            tile.rows, tile.scored);
}

/// Step 2: weights in place of the scores, and the factors of the output rows.
template <class Isa, class T, class Aggregate>
INHIBITOR_INLINE void weigh_scores(const tile_scratch<Isa, T>& s, const head_inputs<T>& in,
                                   const weight_options<T>& options, const query_tile& tile) {
  for (index_t r = 0; r < tile.rows; ++r) {
    s.factors[r] =
        weigh_query<Isa, T, Aggregate>(s.scores + r * s.pitch, in, tile.first + r, tile, options, s.compact, s.places)
            .factor;
  }
}

/// Step 3: values added up. `summed` of them are in s.value_sum, which the plain case shares between queries.
template <class Isa, class T, class Aggregate>
INHIBITOR_INLINE void aggregate_values(const tile_scratch<Isa, T>& s, const value_tile<T>& values,
                                       const query_tile& tile, bool is_masked, index_t& summed) {
  const index_t most = tile.attended;
  if constexpr (lists_keys<Aggregate>) {
    if (is_masked) {  // no bound reaches the weight of a masked key
      aggregate_live_tile<Isa, T, Aggregate>(values, s.bounds, [most](index_t) { return most; });
    } else {
      aggregate_live_tile<Isa, T, Aggregate>(values, s.bounds, [&tile](index_t r) { return tile.limits[r]; });
    }
  } else if (is_masked) {
    aggregate_masked_tile<Isa, T, Aggregate>(values, most);
  } else {
    aggregate_tile<Isa, T, Aggregate>(values, tile.limits, s.value_sum, summed);
  }
}

}  // namespace detail

/// out (L, Dv), rows out_stride apart, is overwritten from packed keys and values; in.k and in.v play no part. The
/// scratch is laid out for as many keys as the blocks that hold in.scored keys have.
template <class Isa, class T, class Score, class Aggregate>
void attention_forward_packed(T* out, index_t out_stride, const head_inputs<T>& in, const packed_head<T>& packed,
                              const weight_options<T>& options, const tile_scratch<Isa, T>& s) {
  const index_t Dv = in.value_size, value_pitch = round_up(Dv, lanes<Isa, T>);
  if (in.queries == 0 || Dv == 0) return;
  const bool kept = packed.value_sum != nullptr && packed.summed <= in.limits[0];
  for (index_t x = 0; x < value_pitch; ++x) s.value_sum[x] = kept ? packed.value_sum[x] : T(0);
  index_t summed = kept ? packed.summed : 0;
  if constexpr (lists_keys<Aggregate>) {
    key_bounds<Isa, T, Aggregate>(s.bounds, packed.values, in.limits[in.queries - 1], value_pitch);
  }
  if (Score::needs_sums && in.scored > 0) {
    unpack_first_key<Isa, T>(s.first_key, packed.keys, packed.packed_keys, in.head_size);
  }
  for (index_t first = 0; first < in.queries; first += s.rows) {
    const query_tile tile = tile_of_queries(in, options, first, s.rows);
    detail::score_queries<Isa, T, Score>(s, in, packed, tile);
    detail::weigh_scores<Isa, T, Aggregate>(s, in, options, tile);
    detail::aggregate_values<Isa, T, Aggregate>(
        s, {out + first * out_stride, out_stride, s.scores, s.pitch, s.factors, tile.rows, packed.values, Dv, s.acc},
        tile, in.attend != nullptr, summed);
  }
}

/// out (L, Dv), rows out_stride apart, is overwritten. `memory` holds forward_scratch<Isa, T>::size numbers.
template <class Isa, class T, class Score, class Aggregate>
void attention_forward(T* out, index_t out_stride, const head_inputs<T>& in, const weight_options<T>& options,
                       T* memory) {
  if (in.queries == 0 || in.value_size == 0) return;
  INHIBITOR_ASSERT(out != nullptr && in.q != nullptr && memory != nullptr);
  INHIBITOR_ASSERT(in.scored == 0 || (in.k != nullptr && in.v != nullptr));
  const forward_scratch<Isa, T> s(memory, in.queries, in.scored, in.head_size, in.value_size);
  pack_keys<Isa, T>(s.keys, in.k, in.k_stride, in.order, in.scored, in.head_size);
  if constexpr (Score::needs_sums) packed_key_sums<Isa, T>(s.key_sums, s.keys, in.scored, in.head_size);
  pack_rows<Isa, T>(s.values, in.v, in.v_stride, in.order, in.attended, in.value_size);
  packed_head<T> packed{};
  packed.keys = s.keys;
  packed.key_sums = s.key_sums;
  packed.values = s.values;
  packed.packed_keys = in.scored;
  attention_forward_packed<Isa, T, Score, Aggregate>(
      out, out_stride, in, packed, options,
      tile_scratch<Isa, T>(s.tile, in.queries, in.scored, in.head_size, in.value_size));
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
