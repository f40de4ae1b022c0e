// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "inhibitor/kernels/attention_u8/layout.hpp"
#include "inhibitor/simd/ops.hpp"

// From float rows to the bytes of the u8 path (layouts: layout.hpp):
//
//   query and key byte   128 + round(x * inverse_step), limited to 0 .. 255     one step for Q and K of a head
//   magnitude byte       round(|v| * inverse_step), limited to 255              unsigned form: max(v, 0)
//   sign byte            -1 where the sign bit of v is set, else +1
//
// One multiplication, then a rounding to integers (ties to even): no sum that a compiler could fuse, so every
// instruction set gives the same bytes. Rows are taken in the order of a list, which is how masked keys are left out.
// Neither allocates nor throws; values must be finite.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Rows fetched ahead: about the latency of the second cache at the pace of the packing functions.
inline constexpr index_t rows_ahead = 12;
/// Longest row of features the packing functions take.
inline constexpr index_t u8_max_value_size = 1024;

namespace detail {

/// Fetches a row, if there is one: rows of a head lie heads * D floats apart, or anywhere in the order of a list, too
/// far for the hardware to guess the next one.
INHIBITOR_INLINE void fetch_row(const float_rows& rows, index_t r, index_t size) {
  if (r >= rows.count) return;
  const float* row = row_of(rows, r);
  for (index_t k = 0; k < size; k += 16) __builtin_prefetch(row + k);
}

/// A row that may be read in whole registers: the row itself, or a copy padded with zeros.
template <class Isa>
INHIBITOR_INLINE const float* whole_registers(const float* row, index_t size, float* copy) {
  const index_t n = byte_ops<Isa>::width / 4;
  if (size % n == 0) return row;
  std::memcpy(copy, row, static_cast<std::size_t>(size) * sizeof(float));
  for (index_t i = size; i < round_up(size, n); ++i) copy[i] = 0.0F;
  return copy;
}

/// `InRange`: |x * inverse_step| is known to stay below 2^31, the limits of the conversion to integers.
template <class Isa, bool InRange>
INHIBITOR_INLINE void u8_quantize_row(std::uint8_t* bytes, const float* row, index_t size, float inverse_step) {
  using ops = byte_ops<Isa>;
  using f32 = typename ops::f32;
  constexpr index_t n = ops::width / 4;
  const f32 factor(inverse_step), lowest(-128.0F), highest(127.0F);
  const auto steps = [&](index_t k) {
    const f32 x = f32::load_unaligned(row + k) * factor;
    return ops::round_to_int(InRange ? x : min(max(x, lowest), highest));
  };
  index_t k = 0;
  for (; k + 4 * n <= size; k += 4 * n) {
    ops::offset_bytes(steps(k), steps(k + n), steps(k + 2 * n), steps(k + 3 * n)).store_unaligned(bytes + k);
  }
  for (; k < size; k += n) ops::store_offset_bytes(bytes + k, steps(k));
}

}  // namespace detail

/// Bits of the largest |x| of the rows, which order as the numbers do; 0x7f800000 or more when one is not finite.
template <class Isa>
inline std::uint32_t u8_largest_magnitude(const float_rows& rows, index_t size) {
  using ops = byte_ops<Isa>;
  using f32 = typename ops::f32;
  using i32 = typename ops::i32;
  constexpr index_t n = ops::width / 4;
  const i32 without_sign(0x7fffffff);
  constexpr int chains = 4;
  i32 largest[chains];
  for (auto& l : largest) l = i32(0);
  float copy[n];
  for (index_t r = 0; r < rows.count; ++r) {
    const float* row = row_of(rows, r);
    detail::fetch_row(rows, r + rows_ahead, size);
    index_t k = 0;
    for (; k + chains * n <= size; k += chains * n) {
      INHIBITOR_UNROLL
      for (int c = 0; c < chains; ++c) {
        largest[c] = max(largest[c], ops::template bit_cast<i32>(f32::load_unaligned(row + k + c * n)) & without_sign);
      }
    }
    for (; k < size; k += n) {
      const index_t left = size - k < n ? size - k : n;
      const float* source = detail::whole_registers<Isa>(row + k, left, copy);
      largest[0] = max(largest[0], ops::template bit_cast<i32>(f32::load_unaligned(source)) & without_sign);
    }
  }
  std::int32_t values[n];
  max(max(largest[0], largest[1]), max(largest[2], largest[3])).store_unaligned(values);
  std::int32_t result = 0;
  for (const std::int32_t value : values) result = value > result ? value : result;
  return static_cast<std::uint32_t>(result);
}

/// Queries: bytes (count, D') row-major. `InRange`: no |x| exceeds 2^30 / inverse_step.
template <class Isa, bool InRange>
inline void u8_pack_queries(std::uint8_t* bytes, const float_rows& rows, index_t head_size, float inverse_step) {
  const index_t padded = u8_padded_head(head_size);
  float copy[round_up(u8_max_head_size, 16)];
  std::uint8_t row_bytes[round_up(u8_max_head_size, 16)];
  for (index_t r = 0; r < rows.count; ++r) {
    const float* row = detail::whole_registers<Isa>(row_of(rows, r), head_size, copy);
    // A register may be wider than the padding, so only a row of whole registers goes straight to its place.
    if (head_size % 16 == 0) {
      detail::u8_quantize_row<Isa, InRange>(bytes + r * padded, row, head_size, inverse_step);
    } else {
      std::memset(row_bytes, 128, sizeof(row_bytes));
      detail::u8_quantize_row<Isa, InRange>(row_bytes, row, head_size, inverse_step);
      std::memcpy(bytes + r * padded, row_bytes, static_cast<std::size_t>(padded));
    }
  }
}

/// Keys, none above 2^30 / inverse_step: packed groups of (count rounded up to 32, D').
template <class Isa>
inline void u8_pack_keys(std::uint8_t* packed, const float_rows& rows, index_t head_size, float inverse_step) {
  const index_t padded = u8_padded_head(head_size);
  float copy[round_up(u8_max_head_size, 16)];
  alignas(64) std::uint8_t bytes[round_up(u8_max_head_size, 16)];
  std::memset(bytes, 128, sizeof(bytes));
  for (index_t j = 0; j < u8_padded_keys(rows.count); ++j) {
    if (j < rows.count) {
      if (rows.order != nullptr) detail::fetch_row(rows, j + rows_ahead, head_size);
      const float* row = detail::whole_registers<Isa>(row_of(rows, j), head_size, copy);
      detail::u8_quantize_row<Isa, true>(bytes, row, head_size, inverse_step);
    } else if (j == rows.count) {
      std::memset(bytes, 128, sizeof(bytes));
    }
    std::uint8_t* place = packed + j / u8_group_keys * u8_group_keys * padded + j % 4 * 64 + j % u8_group_keys / 4 * 8;
    for (index_t k = 0; k < padded; k += 8) std::memcpy(place + k * u8_group_keys, bytes + k, 8);
  }
}

/// Values, none above 255 / inverse_step: packed quads of (count rounded up to 32, Dv'), and per key its largest
/// magnitude, bound (count rounded up).
template <class Isa, bool Signed>
inline void u8_pack_values(std::uint8_t* packed, std::uint8_t* bound, const float_rows& rows, index_t value_size,
                           float inverse_step) {
  using ops = byte_ops<Isa>;
  using f32 = typename ops::f32;
  using i32 = typename ops::i32;
  using u8 = typename ops::u8;
  constexpr index_t n = ops::width / 4;
  const index_t padded = u8_padded_value(value_size);
  const f32 factor(inverse_step), zero(0.0F);
  const i32 without_sign(0x7fffffff), one_each(0x01010101);
  float copy[u8_quad_keys][u8_max_value_size];
  float zeros[16] = {};
  for (index_t t = 0; t < u8_padded_keys(rows.count); t += u8_quad_keys) {
    for (index_t j = 0; j < u8_quad_keys && rows.order != nullptr; ++j) {
      detail::fetch_row(rows, t + j + rows_ahead, value_size);
    }
    const float* quad[u8_quad_keys];
    for (index_t j = 0; j < u8_quad_keys; ++j) {
      quad[j] = t + j < rows.count ? detail::whole_registers<Isa>(row_of(rows, t + j), value_size, copy[j]) : nullptr;
    }
    u8 largest(std::uint8_t{0});
    for (index_t k = 0; k < padded; k += n) {
      i32 magnitudes(0), signs(0);
      INHIBITOR_UNROLL
      for (int j = 0; j < u8_quad_keys; ++j) {
        const f32 v = f32::load_unaligned(quad[j] == nullptr || k >= value_size ? zeros : quad[j] + k);
        const i32 bits = ops::template bit_cast<i32>(v);
        const f32 part = Signed ? ops::template bit_cast<f32>(bits & without_sign) : max(v, zero);
        magnitudes = magnitudes | (ops::round_to_int(part * factor) << (8 * j));
        if (Signed) signs = signs | ((bits >> 31) & i32(static_cast<std::int32_t>(0xffU << (8 * j))));
      }
      const u8 bytes = ops::template bit_cast<u8>(magnitudes);
      largest = max(largest, bytes);
      std::uint8_t* place = packed + t * padded * 2 + k / 16 * 128 + k % 16 * 4;
      bytes.store_unaligned(place);
      ops::template bit_cast<u8>(signs | one_each).store_unaligned(place + 64);
    }
    const std::uint32_t bounds = ops::max_of_quads(largest);
    std::memcpy(bound + t, &bounds, sizeof(bounds));
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
