// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "inhibitor/base/config.hpp"
#include "inhibitor/base/executor.hpp"

// How layers share out their work: blocks whose sizes depend on the shape alone, so that results are the same for any
// number of workers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Rows of a block. 64 rows keep a block of the tiny models (dim 128) large enough for a product's inner kernel and
/// still give two workers something to share.
constexpr index_t rows_per_block = 64;
/// Columns of a block of a product: 512 keep the packed weight block inside L2.
constexpr index_t columns_per_block = 512;

/// How many blocks cover `extent`.
constexpr index_t block_count(index_t extent, index_t block) { return (extent + block - 1) / block; }

/// Calls body(begin, end) for the blocks that [0, extent) is cut into.
template <class Body>
void for_each_range(index_t extent, index_t block, const executor& workers, Body&& body) {
  workers.for_each(block_count(extent, block),
                   [&](index_t item, index_t) { body(item * block, std::min(extent, (item + 1) * block)); });
}

/// Calls body(r0, r, c0, c) for the blocks of r x c at (r0, c0) that a (rows, cols) array is cut into.
template <class Body>
void for_each_tile(index_t rows, index_t cols, const executor& workers, Body&& body) {
  const index_t columns = block_count(cols, columns_per_block);
  workers.for_each(block_count(rows, rows_per_block) * columns, [&](index_t item, index_t) {
    const index_t r0 = item / columns * rows_per_block, c0 = item % columns * columns_per_block;
    body(r0, std::min(rows_per_block, rows - r0), c0, std::min(columns_per_block, cols - c0));
  });
}

/// y += x over (size), in parallel. Does not throw.
template <class T>
void add_to(T* y, const T* x, index_t size, const executor& workers) {
  for_each_range(size, 16384, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) y[i] += x[i];
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
