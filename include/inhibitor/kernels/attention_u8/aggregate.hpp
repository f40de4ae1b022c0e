// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/attention_u8/layout.hpp"
#include "inhibitor/simd/ops.hpp"

// Thresholded signed sums of packed values:
//
//   acc_ik += sum_j sign_jk * max(m_jk - z_ij, 0)        m, z bytes; sign +1 or -1
//
// Thresholds are rows of bytes, values are packed as layout.hpp draws, sums are 32-bit: |acc| <= 255 * S stays below
// 2^31 up to 8.4 million keys. Neither allocates nor throws; exact on every instruction set.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Keys of one pass over the accumulators. Four times byte_ops::signed_steps at most, so that 16-bit partial sums hold;
/// 256 keys of 64 values are 32 KiB, which stays in the first cache while a block of queries passes over it.
inline constexpr index_t u8_value_block_keys = 256;

namespace detail {

/// One register tile: `Queries` queries by `Registers` registers of values, over the quads listed (or all, in order).
template <class Isa, int Queries, int Registers, bool Listed>
INHIBITOR_INLINE void u8_aggregate_tile(std::int32_t* sums, index_t sum_stride, const std::uint8_t* thresholds,
                                        index_t threshold_stride, const std::uint8_t* values, index_t quad_bytes,
                                        index_t part_bytes, const std::uint16_t* list, index_t quads) {
  using ops = byte_ops<Isa>;
  using u8 = typename ops::u8;
  using i32 = typename ops::i32;
  using signed_sum = typename ops::signed_sum;
  struct signed_bytes {
    u8 magnitude, sign;
  };
  constexpr index_t width = ops::width;
  const auto quad = [&](index_t n) INHIBITOR_INLINE_LAMBDA { return Listed ? index_t{list[n]} : n; };
  accumulate_tile<Registers, Queries>(
      quads, [](int, int) INHIBITOR_INLINE_LAMBDA { return ops::signed_zero(); },
      [&](index_t n, int i) INHIBITOR_INLINE_LAMBDA {
        return ops::broadcast_4(thresholds + i * threshold_stride + quad(n) * u8_quad_keys);
      },
      [&](index_t n, int c) INHIBITOR_INLINE_LAMBDA {
        // Pieces of a block of 64 magnitudes follow each other; its 64 signs stand behind them.
        const index_t part = part_bytes + c * width;
        const std::uint8_t* piece = values + quad(n) * quad_bytes + part / 64 * 128 + part % 64;
        return signed_bytes{u8::load_unaligned(piece), u8::load_unaligned(piece + 64)};
      },
      [](int, int, signed_sum& sum, const signed_bytes& value, const u8& z) INHIBITOR_INLINE_LAMBDA {
        sum = ops::add_signed(sum, ops::subtract_saturated(value.magnitude, z), value.sign);
      },
      [&](int c, int i, const signed_sum& added) INHIBITOR_INLINE_LAMBDA {
        std::int32_t* sum = sums + i * sum_stride + (part_bytes + c * width) / 4;
        (i32::load_unaligned(sum) + ops::signed_total(added)).store_unaligned(sum);
      });
}

}  // namespace detail

/// Adds the `quads` quads of `values` (all in order, or those in `list`) to the sums of `Rows` queries.
/// sums (Rows, Dv') by stride, thresholds (Rows, 4 * quads) by stride; quads <= 64.
template <class Isa, index_t Rows, bool Listed>
inline void u8_aggregate(std::int32_t* sums, index_t sum_stride, const std::uint8_t* thresholds,
                         index_t threshold_stride, const std::uint8_t* values, index_t padded_value,
                         const std::uint16_t* list, index_t quads) {
  constexpr index_t width = byte_ops<Isa>::width;
  static_assert(u8_value_block_keys / u8_quad_keys <= byte_ops<Isa>::signed_steps, "16-bit partial sums could wrap");
  const index_t quad_bytes = padded_value * 8;  // 4 keys, magnitude and sign
  const index_t magnitudes = padded_value * 4;
  index_t part = 0;
  for (; part + 4 * width <= magnitudes; part += 4 * width) {
    detail::u8_aggregate_tile<Isa, static_cast<int>(Rows), 4, Listed>(sums, sum_stride, thresholds, threshold_stride,
                                                                      values, quad_bytes, part, list, quads);
  }
  for (; part < magnitudes; part += width) {
    detail::u8_aggregate_tile<Isa, static_cast<int>(Rows), 1, Listed>(sums, sum_stride, thresholds, threshold_stride,
                                                                      values, quad_bytes, part, list, quads);
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
