// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm_s8/scale.hpp"
#include "inhibitor/simd/dot_ops.hpp"

// Rows of activations as operands of the products of an instruction set: in' numbers within +-127 in the form of
// simd/dot_ops.hpp, by the rule of scale.hpp with a scale of their own. A row is its own scale's only reason, so it
// becomes the same bytes alone, in any batch, beside any padding. Nothing here allocates or throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Bytes of an operand row. A line more than the numbers need: rows of a power of two would share a few sets of the
/// cache.
template <class Isa>
index_t s8_row_bytes(index_t in) {
  return s8_padded_in(in) / 4 * dot_step_bytes(dot_ops<Isa>::form) + 64;
}

namespace detail {

/// Bits of the largest magnitude of a row.
template <class Isa>
INHIBITOR_INLINE std::int32_t s8_largest_magnitude(const float* row, index_t size) {
  using ops = byte_ops<Isa>;
  using f32 = typename ops::f32;
  using i32 = typename ops::i32;
  constexpr index_t n = ops::width / 4, chains = 4;
  const i32 without_sign(0x7fffffff);
  i32 largest[chains];
  for (auto& l : largest) l = i32(0);
  index_t k = 0;
  for (; k + chains * n <= size; k += chains * n) {
    INHIBITOR_UNROLL
    for (index_t c = 0; c < chains; ++c) {
      largest[c] = max(largest[c], ops::template bit_cast<i32>(f32::load_unaligned(row + k + c * n)) & without_sign);
    }
  }
  std::int32_t values[n];
  max(max(largest[0], largest[1]), max(largest[2], largest[3])).store_unaligned(values);
  std::int32_t result = 0;
  for (const std::int32_t value : values) result = value > result ? value : result;
  for (; k < size; ++k) {
    const std::int32_t bits = s8_magnitude_bits(row[k]);
    result = bits > result ? bits : result;
  }
  return result;
}

/// One row from its scale's inverse.
template <class Isa>
INHIBITOR_INLINE void s8_quantize_row(std::uint8_t* to, const float* row, index_t size, float inverse) {
  using ops = byte_ops<Isa>;
  using dots = dot_ops<Isa>;
  using f32 = typename ops::f32;
  constexpr index_t n = ops::width / 4, together = ops::width, bytes = together / 4 * dot_step_bytes(dots::form);
  const f32 factor(inverse);
  const auto write = [&](const float* from) INHIBITOR_INLINE_LAMBDA {
    dots::store_form(to, ops::round_to_int(f32::load_unaligned(from) * factor),
                     ops::round_to_int(f32::load_unaligned(from + n) * factor),
                     ops::round_to_int(f32::load_unaligned(from + 2 * n) * factor),
                     ops::round_to_int(f32::load_unaligned(from + 3 * n) * factor));
    to += bytes;
  };
  float part[together];
  for (index_t k = 0; k < s8_padded_in(size); k += together) {
    if (k + together <= size) {
      write(row + k);
      continue;
    }
    // Copied, not selected in a loop, of which g++ makes masked loads: QEMU 7.2 faults on what their mask leaves out.
    std::memset(part, 0, sizeof(part));
    if (k < size) std::memcpy(part, row + k, static_cast<std::size_t>(size - k) * sizeof(float));
    write(part);
  }
}

}  // namespace detail

/// Quantizes the rows of a call and returns the first that holds a number that is not finite, or -1. Such a row becomes
/// zeros with scale 0.
template <class Isa>
INHIBITOR_FLATTEN index_t s8_quantize_rows(const s8_quantize_call& call) {
  const index_t row_bytes = s8_row_bytes<Isa>(call.size);
  index_t refused = -1;
  for (index_t r = 0; r < call.count; ++r) {
    const float* row = call.x + r * call.x_stride;
    std::int32_t largest = 0;
    if (call.largest != nullptr) {
      for (index_t i = 0; i < s8_group; ++i) {
        const std::int32_t value = call.largest[r * s8_group + i];
        largest = value > largest ? value : largest;
      }
    } else {
      largest = detail::s8_largest_magnitude<Isa>(row, call.size);
    }
    const bool finite = largest < s8_infinite;
    const s8_row_scale s = finite ? s8_scale_of(largest) : s8_row_scale{0.0F, 0.0F};
    if (!finite && refused < 0) refused = r;
    call.scales[r] = s.scale;
    std::uint8_t* to = call.rows + r * row_bytes;
    if (s.inverse != 0.0F) {
      detail::s8_quantize_row<Isa>(to, row, call.size, s.inverse);
    } else {
      // What a zero is depends on the form.
      const int zero = dot_ops<Isa>::form == dot_form::offset_bytes ? 128 : 0;
      std::memset(to, zero, static_cast<std::size_t>(row_bytes));
    }
  }
  return refused;
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
