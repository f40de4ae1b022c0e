// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/dispatch/boundary.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Queries of a head that are computed together.
struct query_tile {
  index_t first, rows;    ///< queries [first, first + rows)
  const index_t* limits;  ///< (rows) of head_inputs
  index_t attended;       ///< keys that one of them attends to, at the most
  index_t scored;         ///< keys whose scores are needed
};

/// The tile that starts at query `first` and has `rows` queries, or as many as are left.
template <class T>
INHIBITOR_INLINE query_tile tile_of_queries(const head_inputs<T>& in, const weight_options<T>& options, index_t first,
                                            index_t rows) {
  query_tile tile;
  tile.first = first;
  tile.rows = in.queries - first < rows ? in.queries - first : rows;
  tile.limits = in.limits + first;
  tile.attended = tile.limits[tile.rows - 1];
  tile.scored = options.center_all ? in.scored : tile.attended;
  return tile;
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
