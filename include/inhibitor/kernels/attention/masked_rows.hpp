// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/scalar_math.hpp"
#include "inhibitor/kernels/attention/aggregate.hpp"
#include "inhibitor/kernels/attention/query_tile.hpp"

// Rows under a boolean mask, where each query attends to keys of its own. Scores are computed for all keys of a tile;
// then, row by row, those of the attended keys are moved together, weighed by the ordinary policies and put back among
// weights with which a value adds nothing: soft(v, inf) = 0 in the signed and unsigned forms, 0 v in softmax. Both are
// exact for finite v, so a masked key changes no bit. The value step then runs over the whole tile without the shared
// value sum (each query would need its own), hence one operation more per element.
//
// A value that is not finite reaches every query of the head unless no query attends to its key.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Weight with which a key adds exactly nothing.
template <class Aggregate, class T>
INHIBITOR_INLINE constexpr T masked_weight() {
  return Aggregate::uses_value_sum ? infinity<T>() : T(0);
}

/// Lists in places (scored + 1 numbers of room) the keys that query `row` attends to and, with `all`, the others of
/// [0, scored) after them. Returns how many the query attends to.
template <class Isa, class T>
INHIBITOR_INLINE index_t attended_first(index_t* places, const head_inputs<T>& in, index_t row, index_t scored,
                                        bool all) {
  const std::uint8_t* attend = in.attend + row * in.attend_stride;
  const index_t limit = in.limits[row];
  index_t n = 0;
  for (index_t j = 0; j < limit; ++j) {
    places[n] = j;
    n += attend[key_number(in, j)] != 0 ? 1 : 0;
  }
  for (index_t j = 0, end = n; j < scored && all; ++j) {
    places[end] = j;
    end += j < limit && attend[key_number(in, j)] != 0 ? 0 : 1;
  }
  return n;
}

/// dst[i] = src[places[i]].
template <class Isa, class T>
INHIBITOR_INLINE void gather_places(T* dst, const T* src, const index_t* places, index_t n) {
  for (index_t i = 0; i < n; ++i) dst[i] = src[places[i]];
}

/// dst[0, end) = fill, then dst[places[i]] = src[i].
template <class Isa, class T>
INHIBITOR_INLINE void scatter_places(T* dst, index_t end, T fill, const T* src, const index_t* places, index_t n) {
  for (index_t j = 0; j < end; ++j) dst[j] = fill;
  for (index_t i = 0; i < n; ++i) dst[places[i]] = src[i];
}

/// Aggregate::weigh under a mask: row[0, end) in place. places as listed by attended_first, `listed` of them with the
/// first n attended; compact has room for a row.
template <class Isa, class T, class Aggregate>
INHIBITOR_INLINE T weigh_masked(T* row, index_t end, T* compact, const index_t* places, index_t n, index_t listed,
                                const weight_options<T>& options) {
  gather_places<Isa, T>(compact, row, places, listed);
  const T factor = Aggregate::template weigh<Isa, T>(compact, n, listed, options);
  scatter_places<Isa, T>(row, end, masked_weight<Aggregate, T>(), compact, places, n);
  return factor;
}

/// A row of weights is worth this.
template <class T>
struct weighed_row {
  T factor;          ///< of the output row
  index_t attended;  ///< keys that the query attends to
};

/// Weights of query i in place of its raw scores, row[0, tile.scored); under a boolean mask row[0, tile.attended) is
/// written. compact has room for a row, places for tile.scored + 1 numbers.
template <class Isa, class T, class Aggregate>
INHIBITOR_INLINE weighed_row<T> weigh_query(T* row, const head_inputs<T>& in, index_t i, const query_tile& tile,
                                            const weight_options<T>& options, T* compact, index_t* places) {
  if (in.attend == nullptr) {
    const index_t n = in.limits[i];
    return {Aggregate::template weigh<Isa, T>(row, n, in.scored, options), n};
  }
  const index_t n = attended_first<Isa, T>(places, in, i, tile.scored, options.center_all);
  const index_t listed = options.center_all ? tile.scored : n;
  return {weigh_masked<Isa, T, Aggregate>(row, tile.attended, compact, places, n, listed, options), n};
}

/// Output rows of a tile over the keys [0, n), whatever each query attends to.
template <class Isa, class T, class Aggregate>
void aggregate_masked_tile(const value_tile<T>& tile, index_t n) {
  const index_t value_pitch = round_up(tile.value_size, lanes<Isa, T>);
  fill_zero<Isa, T>(tile.acc, tile.rows * value_pitch);
  accumulate_rows<Isa, T, Aggregate, true>(tile.acc, tile.weights, tile.pitch, tile.rows, tile.values, value_pitch, n,
                                           [n](index_t) { return n; });
  for (index_t r = 0; r < tile.rows; ++r) store_output_row<Isa, T, Aggregate>(tile, r, nullptr);
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
