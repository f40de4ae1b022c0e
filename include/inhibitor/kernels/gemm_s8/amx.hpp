// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm_s8/epilogue.hpp"
#include "inhibitor/kernels/gemm_s8/quantize.hpp"
#include "inhibitor/simd/amx_tiles.hpp"

// The product in bytes on AMX: blocks of 32 rows x 32 outputs in four tiles of sums, fed by two tiles of operand rows
// (16 rows x 64 inputs, read where the rows lie) and two of weights (one step of 64 inputs of a group is a tile in the
// image). Per 64 inputs four loads and four products of 16 cycles.
//
//                 Sapphire Rapids, Emerald Rapids, Granite Rapids
//   tdpbusd       16 cycles, latency 52; four independent sums cover it
//   tileloadd     8 cycles from the first cache
//   block         in / 64 * 64 cycles: 768 at in = 768, 3072 at in = 3072; its 1024 outputs then take about 1 cycle per
//                 16 for the epilogue without GELU
//
// Operands carry 128 too much, as those of VNNI, so that both read the same bytes and short inputs can take the other
// path: the sums start from the offsets, loaded into a tile with a stride of 0. The sums go through 4 KiB of memory,
// because nothing else reads a tile. Zen processors have no AMX.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Fewer rows than this leave most of a tile empty, and the weights decide the time.
inline constexpr index_t amx_fewest_rows = 8;

/// Rows [row, row + rows) of the call. `Tiles` are those of the hardware or a test's (simd/amx_tiles.hpp).
template <class Tiles, class Isa, class Epilogue>
void s8_amx_block(const s8_product_call& call, index_t row, index_t rows) {
  static_assert(dot_ops<Isa>::form == dot_form::offset_bytes, "tiles read the bytes of VNNI");
  constexpr index_t height = 32, pitch = 2 * s8_group;
  alignas(64) std::int32_t sums[height * pitch];
  const index_t row_bytes = s8_row_bytes<Isa>(call.w.in), group_bytes = s8_group_bytes(call.w.in);
  const index_t last = s8_padded_out(call.w.out) / s8_group - 1;
  const typename Tiles::session session;
  for (index_t first = 0; first < call.cols; first += pitch) {
    const index_t group = (call.column + first) / s8_group;
    const index_t second = group < last ? group + 1 : group;  // computed twice where it is the last
    const std::int8_t* w0 = s8_weights(call.w) + group * group_bytes;
    const std::int8_t* w1 = s8_weights(call.w) + second * group_bytes;
    const std::int32_t* offsets0 = s8_offsets(call.w) + group * s8_group;
    const std::int32_t* offsets1 = s8_offsets(call.w) + second * s8_group;
    const index_t cols = call.cols - first < pitch ? call.cols - first : pitch;
    for (index_t r = 0; r < rows; r += height) {
      const index_t count = rows - r < height ? rows - r : height;
      const std::uint8_t* x0 = call.x + (row + r) * row_bytes;
      const std::uint8_t* x1 = count > 16 ? x0 + 16 * row_bytes : x0;  // 16 rows are computed twice
      Tiles::template load<0>(offsets0, 0);
      Tiles::template load<1>(offsets1, 0);
      Tiles::template load<2>(offsets0, 0);
      Tiles::template load<3>(offsets1, 0);
      for (index_t k = 0; k < s8_padded_in(call.w.in); k += s8_depth) {
        Tiles::template load<4>(x0 + k, row_bytes);
        Tiles::template load<6>(w0 + k * s8_group, s8_step_bytes);
        Tiles::template load<7>(w1 + k * s8_group, s8_step_bytes);
        Tiles::template add_products<0, 4, 6>();
        Tiles::template add_products<1, 4, 7>();
        Tiles::template load<5>(x1 + k, row_bytes);
        Tiles::template add_products<2, 5, 6>();
        Tiles::template add_products<3, 5, 7>();
      }
      constexpr index_t bytes = 4 * pitch;
      Tiles::template store<0>(sums, bytes);
      Tiles::template store<1>(sums + s8_group, bytes);
      Tiles::template store<2>(sums + 16 * pitch, bytes);
      Tiles::template store<3>(sums + 16 * pitch + s8_group, bytes);
      s8_finish<Isa, Epilogue>(call, sums, pitch, row + r, count, first, cols);
    }
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
