// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm_s8/gelu.hpp"
#include "inhibitor/kernels/gemm_s8/layout.hpp"

// What becomes of the 32-bit sums of a tile while they are in the first cache: numbers, in the same bits everywhere.
//
//   z = float(sum) * (x_scale * w_scale) + bias        each operation rounded by itself
//   y = f(z)                                           f: nothing, GELU, the sum with a residual
//
// and, where the call wants it, the largest |y| of a row, from which the next product's operand takes its scale
// (quantize.hpp): that pass needs no look at the numbers of its own.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// y = z.
struct s8_plain {
  template <class F>
  static INHIBITOR_INLINE F apply(const F& z, const F&) {
    return z;
  }
  static constexpr bool has_residual = false;
};

/// y = gelu(z).
struct s8_gelu {
  template <class F>
  static INHIBITOR_INLINE F apply(const F& z, const F&) {
    return gelu_in_fixed_order(z);
  }
  static constexpr bool has_residual = false;
};

/// y = z + residual.
struct s8_residual {
  template <class F>
  static INHIBITOR_INLINE F apply(const F& z, const F& residual) {
    return z + residual;
  }
  static constexpr bool has_residual = true;
};

namespace detail {

/// The first `count` lanes of a register, the others 0.
template <class F, index_t N>
INHIBITOR_INLINE F s8_load_lanes(const float* p, index_t count) {
  if (count == N) return F::load_unaligned(p);
  float part[N] = {};
  for (index_t i = 0; i < count; ++i) part[i] = p[i];
  return F::load_unaligned(part);
}

template <class F, index_t N>
INHIBITOR_INLINE void s8_store_lanes(float* p, const F& x, index_t count) {
  if (count == N) {
    x.store_unaligned(p);
    return;
  }
  float part[N];
  x.store_unaligned(part);
  for (index_t i = 0; i < count; ++i) p[i] = part[i];
}

}  // namespace detail

/// Rows [row, row + rows) and columns [first, first + cols) of the call's, from sums (rows, pitch).
template <class Isa, class Epilogue>
void s8_finish(const s8_product_call& call, const std::int32_t* sums, index_t pitch, index_t row, index_t rows,
               index_t first, index_t cols) {
  using ops = byte_ops<Isa>;
  using f32 = typename ops::f32;
  using i32 = typename ops::i32;
  constexpr index_t n = ops::width / 4;
  const float* w_scales = s8_scales(call.w) + call.column + first;
  const float* bias = s8_bias(call.w) + call.column + first;
  const i32 without_sign(0x7fffffff);
  for (index_t r = 0; r < rows; ++r) {
    const f32 x_scale(call.x_scales[row + r]);
    float* y = call.y + (row + r) * call.y_stride + first;
    const float* residual = Epilogue::has_residual ? call.residual + (row + r) * call.residual_stride + first : nullptr;
    std::int32_t* largest = call.largest == nullptr ? nullptr : call.largest + (row + r) * s8_group;
    for (index_t c = 0; c < cols; c += n) {
      const index_t count = cols - c < n ? cols - c : n;
      const f32 sum = ops::to_float(i32::load_unaligned(sums + r * pitch + c));
      const f32 z = multiply_then_add(sum, x_scale * f32::load_unaligned(w_scales + c), f32::load_unaligned(bias + c));
      f32 other(0.0F);
      if constexpr (Epilogue::has_residual) other = detail::s8_load_lanes<f32, n>(residual + c, count);
      const f32 result = Epilogue::apply(z, other);
      detail::s8_store_lanes<f32, n>(y + c, result, count);
      if (largest != nullptr) {
        // Columns beyond the last one hold 0, or what f makes of it: 0.
        std::int32_t* place = largest + c % s8_group;
        max(i32::load_unaligned(place), ops::template bit_cast<i32>(result) & without_sign).store_unaligned(place);
      }
    }
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
