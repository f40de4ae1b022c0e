// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/assert.hpp"
#include "inhibitor/kernels/attention/masked_rows.hpp"
#include "inhibitor/kernels/attention/scores.hpp"
#include "inhibitor/kernels/attention/skip.hpp"

// Attention of one head, fused: keys and values are packed once, then per tile of queries
//   1. raw scores of the tile, 2. weights in place, 3. values added up.
// Scratch is O(tile x S + S x (D + Dv)); never an (L, S) array. Does not allocate, does not throw. Any scoring policy
// of scores.hpp composes with any aggregation policy of weights.hpp. Extents may be 0 except D.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Cuts a block of aligned memory into arrays whose starts are 64-byte aligned. With a null base it only measures.
template <class T>
class scratch_cursor {
 public:
  explicit scratch_cursor(T* base) : base_(base) {}
  T* take(index_t n) {
    T* p = base_ != nullptr ? base_ + used_ : nullptr;
    used_ += round_up(n, 64 / static_cast<index_t>(sizeof(T)));
    return p;
  }
  index_t* take_indices(index_t n) {
    return reinterpret_cast<index_t*>(take(n * static_cast<index_t>(sizeof(index_t) / sizeof(T))));
  }
  index_t used() const { return used_; }

 private:
  T* base_;
  index_t used_ = 0;
};

/// Keys and values of one head in the layouts of pack.hpp, wherever they are kept.
template <class T>
struct packed_head {
  const T* keys = nullptr;
  const T* key_sums = nullptr;  ///< of scoring policies that need them
  const T* values = nullptr;
  index_t packed_keys = 0;       ///< keys that the blocks of `keys` were cut for, at least those in use
  const T* value_sum = nullptr;  ///< (Dv rounded up to N) sum of the first `summed` values, or null
  index_t summed = 0;
};

/// Scratch of attention_forward_packed.
template <class Isa, class T>
struct tile_scratch {
  T *value_sum, *q, *q_sums, *factors, *scores, *acc, *compact, *bounds;
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

/// Copies `rows` rows of src (*, width) to dst (rows, width) so that a tile of queries lies together in the cache.
template <class T>
INHIBITOR_INLINE void copy_rows(T* INHIBITOR_RESTRICT dst, const T* INHIBITOR_RESTRICT src, index_t stride,
                                index_t rows, index_t width) {
  for (index_t r = 0; r < rows; ++r) {
    for (index_t x = 0; x < width; ++x) dst[r * width + x] = src[r * stride + x];
  }
}

/// out (L, Dv), rows out_stride apart, is overwritten from packed keys and values; in.k and in.v play no part. The
/// scratch is laid out for as many keys as the blocks that hold in.scored keys have.
template <class Isa, class T, class Score, class Aggregate>
void attention_forward_packed(T* out, index_t out_stride, const head_inputs<T>& in, const packed_head<T>& packed,
                              const weight_options<T>& options, const tile_scratch<Isa, T>& s) {
  const index_t D = in.head_size, Dv = in.value_size;
  if (in.queries == 0 || Dv == 0) return;
  const bool kept = packed.value_sum != nullptr && packed.summed <= in.limits[0];
  for (index_t x = 0; x < round_up(Dv, lanes<Isa, T>); ++x) s.value_sum[x] = kept ? packed.value_sum[x] : T(0);
  index_t summed = kept ? packed.summed : 0;
  if constexpr (lists_keys<Aggregate>) {
    key_bounds<Isa, T, Aggregate>(s.bounds, packed.values, in.limits[in.queries - 1], round_up(Dv, lanes<Isa, T>));
  }

  for (index_t i0 = 0; i0 < in.queries; i0 += s.rows) {
    const index_t rows = in.queries - i0 < s.rows ? in.queries - i0 : s.rows;
    const index_t* limits = in.limits + i0;
    const index_t scored = options.center_all ? in.scored : limits[rows - 1];
    copy_rows(s.q, in.q + i0 * in.q_stride, in.q_stride, rows, D);
    if constexpr (Score::needs_sums) row_sums<Isa, T>(s.q_sums, s.q, D, rows, D);
    score_tile<Isa, T, Score>(s.scores, s.pitch, s.q, D, rows, packed.keys, packed.packed_keys, scored, D, s.q_sums,
                              packed.key_sums);
    if (in.attend != nullptr) {
      const index_t most = limits[rows - 1];
      for (index_t r = 0; r < rows; ++r) {
        const index_t n = attended_first<Isa, T>(s.places, in, i0 + r, scored, options.center_all);
        s.factors[r] = weigh_masked<Isa, T, Aggregate>(s.scores + r * s.pitch, most, s.compact, s.places, n,
                                                       options.center_all ? scored : n, options);
      }
      if constexpr (lists_keys<Aggregate>) {  // no bound reaches the weight of a masked key
        aggregate_live_tile<Isa, T, Aggregate>(
            out + i0 * out_stride, out_stride, s.scores, s.pitch, [most](index_t) { return most; }, s.factors, rows,
            packed.values, Dv, s.acc, s.bounds);
      } else {
        aggregate_masked_tile<Isa, T, Aggregate>(out + i0 * out_stride, out_stride, s.scores, s.pitch, s.factors, rows,
                                                 most, packed.values, Dv, s.acc);
      }
      continue;
    }
    for (index_t r = 0; r < rows; ++r) {
      s.factors[r] = Aggregate::template weigh<Isa, T>(s.scores + r * s.pitch, limits[r], in.scored, options);
    }
    if constexpr (lists_keys<Aggregate>) {
      aggregate_live_tile<Isa, T, Aggregate>(
          out + i0 * out_stride, out_stride, s.scores, s.pitch, [limits](index_t r) { return limits[r]; }, s.factors,
          rows, packed.values, Dv, s.acc, s.bounds);
    } else {
      aggregate_tile<Isa, T, Aggregate>(out + i0 * out_stride, out_stride, s.scores, s.pitch, limits, s.factors, rows,
                                        packed.values, Dv, s.acc, s.value_sum, summed);
    }
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
  packed_head<T> packed;
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
