// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "inhibitor/base/round_up.hpp"
#include "inhibitor/simd/batch.hpp"

// How kernels cut their work: how many rows and registers a register tile holds, how many rows a tile that stays in the
// second cache, and the loops over both.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Register tile of the float attention kernels: 4 x 4 accumulators, 4 operands and a broadcast fit 32 registers; 4 x 2
/// accumulators, 2 operands, a broadcast and temporaries 16. Sixteen (eight) independent chains cover a latency of 4
/// cycles at 2 instructions per cycle.
template <class Isa>
struct register_tile {
  static constexpr int rows = 4;
  static constexpr int vectors = has_32_registers<Isa> ? 4 : 2;
};

/// Queries in a tile: as many as keep its rows of scratch within half of a 2 MiB level-2 cache, but not fewer than 32
/// even for the longest rows, because each tile reads all packed keys and values once (measured at S = 8192, AVX-512,
/// November 2026: 8 rows backward run at a third of the speed of 32).
inline constexpr index_t max_tile_rows = 64;
inline constexpr index_t min_tile_rows = 32;
inline constexpr index_t tile_bytes = index_t{1024} * 1024;

/// Numbers from one row of a score tile to the next: an odd count of cache lines, so that a column of the tile (which
/// the backward pass walks down) does not fall into a few sets of the cache.
template <class T>
constexpr index_t score_pitch(index_t keys) {
  constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
  return ((keys + line - 1) / line | 1) * line;
}

/// Queries per tile when each needs `row_bytes` of scratch; a multiple of every register tile's rows.
constexpr index_t tile_rows(index_t row_bytes) {
  const index_t fitting = tile_bytes / (row_bytes > 0 ? row_bytes : 1) / 8 * 8;
  return fitting < min_tile_rows ? min_tile_rows : fitting > max_tile_rows ? max_tile_rows : fitting;
}

/// Asks for part `part` of `parts` of the numbers [p, p + n) to be brought into the level-2 cache. Kernels that walk
/// through more packed data than that cache holds do so for the next block while they work on the current one.
template <class T>
INHIBITOR_INLINE void prefetch_part(const T* p, index_t n, index_t part, index_t parts) {
  constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
  const index_t end = n * (part + 1) / parts;
  for (index_t i = n * part / parts / line * line; i < end; i += line) __builtin_prefetch(p + i, 0, 2);
}

/// Packed data of this size does not stay in the level-2 cache from one tile of queries to the next.
inline constexpr index_t far_bytes = index_t{512} * 1024;

/// Calls body(first, std::integral_constant<int, count>) for register tiles of `Rows` rows, then single rows.
template <int Rows, class Body>
INHIBITOR_INLINE void for_row_groups(index_t rows, Body&& body) {
  index_t r = 0;
  for (; r + Rows <= rows; r += Rows) body(r, std::integral_constant<int, Rows>{});
  for (; r < rows; ++r) body(r, std::integral_constant<int, 1>{});
}

/// Calls body(first, count) with count, an integral_constant, Vectors, then powers of two below it.
template <int Vectors, class Body>
INHIBITOR_INLINE void for_vector_groups(index_t vectors, Body&& body) {
  index_t v = 0;
  for (; v + Vectors <= vectors; v += Vectors) body(v, std::integral_constant<int, Vectors>{});
  if constexpr (Vectors > 2) {
    if (v + 2 <= vectors) {
      body(v, std::integral_constant<int, 2>{});
      v += 2;
    }
  }
  if (v < vectors) body(v, std::integral_constant<int, 1>{});
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
