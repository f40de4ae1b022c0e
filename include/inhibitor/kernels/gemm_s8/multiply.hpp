// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "inhibitor/kernels/gemm_s8/amx.hpp"
#include "inhibitor/kernels/gemm_s8/epilogue.hpp"
#include "inhibitor/kernels/gemm_s8/tile.hpp"
#include "inhibitor/kernels/gemm_s8/tile_i8mm.hpp"

// The loops of the product in bytes: for every strip of outputs all rows in tiles of nearly equal height, so that a
// strip of weights is read once and stays in the first cache for the tiles that follow. Rows are taken in blocks whose
// operands stay in the second cache. With few rows there is one tile per strip, and the weights stream through once, in
// the order of memory, fetched a strip ahead. Nothing here allocates or throws.
//
// The sums are exact, so neither tile heights nor strips nor the cut of the work show in the result.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Operand bytes of a block of rows: half of a second cache of 512 KiB.
inline constexpr index_t s8_block_bytes = index_t{256} * 1024;

/// Groups of outputs that are computed together; two are a block of AMX.
template <class Isa>
inline constexpr index_t s8_strip_groups = isa_has<Isa, isa::avx512_amx> ? 6 : s8_tile<Isa>::groups;

namespace detail {

using s8_tile_function = void (*)(std::int32_t*, index_t, const std::uint8_t*, index_t, const s8_tile_weights&);

template <class Isa, index_t Rows, index_t Groups>
constexpr s8_tile_function s8_tile_of() {
#if defined(__ARM_FEATURE_MATMUL_INT8)
  if constexpr (isa_has<Isa, isa::neon_i8mm>) return &s8_sum_tile_i8mm<Rows>;
#endif
  return &s8_sum_tile<Isa, Rows, Groups>;
}

/// The tiles of 1, 2, ... rows.
template <index_t Rows>
struct s8_tile_functions {
  s8_tile_function of_rows[Rows];
};
template <class Isa, index_t Groups, index_t... I>
constexpr s8_tile_functions<static_cast<index_t>(sizeof...(I))> list_s8_tile_functions(
    std::integer_sequence<index_t, I...>) {
  return {{s8_tile_of<Isa, I + 1, Groups>()...}};
}

/// `Groups` groups from column `first` of the call's on, rows [row, row + rows).
template <class Isa, class Epilogue, index_t Groups>
void s8_strip(const s8_product_call& call, index_t row, index_t rows, index_t first) {
  constexpr index_t most = s8_tile<Isa>::rows, pitch = s8_group * Groups;
  static constexpr auto functions = list_s8_tile_functions<Isa, Groups>(std::make_integer_sequence<index_t, most>());
  alignas(64) std::int32_t sums[most * pitch];
  const index_t row_bytes = s8_row_bytes<Isa>(call.w.in), group_bytes = s8_group_bytes(call.w.in);
  const index_t group = (call.column + first) / s8_group, all_groups = s8_padded_out(call.w.out) / s8_group;
  const index_t tiles = (rows + most - 1) / most;
  const std::int8_t* weights = s8_weights(call.w) + group * group_bytes;
  // After the last strip comes the first.
  const index_t next = group + 2 * Groups <= all_groups ? group + Groups : 0;
  const index_t cols = call.cols - first < pitch ? call.cols - first : pitch;
  for (index_t t = 0; t < tiles; ++t) {
    const index_t from = rows * t / tiles, count = rows * (t + 1) / tiles - from;
    const s8_tile_weights part{
        weights,
        group_bytes,
        s8_padded_in(call.w.in) / 4,
        s8_offsets(call.w) + group * s8_group,
        reinterpret_cast<const char*>(s8_weights(call.w)) + next * group_bytes + group_bytes * t / tiles,
        s8_step_bytes / tiles};
    functions.of_rows[count - 1](sums, pitch, call.x + (row + from) * row_bytes, row_bytes, part);
    s8_finish<Isa, Epilogue>(call, sums, pitch, row + from, count, first, cols);
  }
}

/// A block of rows by register tiles.
template <class Isa, class Epilogue>
void s8_block(const s8_product_call& call, index_t row, index_t rows) {
  constexpr index_t groups = s8_tile<Isa>::groups;
  const index_t all = s8_padded_out(call.cols) / s8_group;
  index_t g = 0;
  for (; g + groups <= all; g += groups) s8_strip<Isa, Epilogue, groups>(call, row, rows, g * s8_group);
  if constexpr (groups > 1) {
    for (; g < all; ++g) s8_strip<Isa, Epilogue, 1>(call, row, rows, g * s8_group);
  }
}

}  // namespace detail

/// The product of a call, see boundary::s8_product_call.
template <class Isa, class Epilogue>
void s8_multiply(const s8_product_call& call) {
  const index_t fitting = s8_block_bytes / s8_row_bytes<Isa>(call.w.in);
  constexpr index_t fewest = 2 * s8_tile<Isa>::rows;
  const index_t blocks = call.rows / (fitting > fewest ? fitting : fewest) + 1;
  for (index_t b = 0; b < blocks; ++b) {
    const index_t row = call.rows * b / blocks, rows = call.rows * (b + 1) / blocks - row;
    if (rows == 0) continue;
#if defined(INHIBITOR_AMX)
    if constexpr (isa_has<Isa, isa::avx512_amx>) {
      if (rows >= amx_fewest_rows && amx_permitted()) {
        s8_amx_block<hardware_tiles, Isa, Epilogue>(call, row, rows);
        continue;
      }
    }
#endif
    detail::s8_block<Isa, Epilogue>(call, row, rows);
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
