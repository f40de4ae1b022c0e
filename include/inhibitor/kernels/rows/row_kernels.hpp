// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/scalar_math.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/simd/float_ops.hpp"
#include "inhibitor/simd/partial.hpp"
#include "inhibitor/simd/sigmoid.hpp"

// What happens between the matrix products of an encoder at inference, each as one pass over rows that are still in the
// cache: bias and GELU; residual and layer normalization; embedding lookup and layer normalization. Row i of an array
// starts at i * stride. Nothing here allocates, throws or starts threads.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {
namespace detail {

/// body(first, count) for the registers that `size` numbers fill, the last one perhaps in part.
template <class Isa, class T, class Body>
INHIBITOR_INLINE void for_registers(index_t size, Body&& body) {
  constexpr index_t n = lanes<Isa, T>;
  index_t i = 0;
  for (; i + n <= size; i += n) body(i, n);
  if (i < size) body(i, size - i);
}

/// row (C) = (row - mean) / sqrt(variance + epsilon) * weight + bias, `sum` being the sum of the row.
template <class Isa, class T>
INHIBITOR_INLINE void normalize_row(T* row, const batch<Isa, T>& sum, const norm_view<T>& norm, index_t cols) {
  using B = batch<Isa, T>;
  const T middle = horizontal_sum<Isa, T>(sum) / static_cast<T>(cols);
  const B mean(middle);
  B squares(T(0));
  for_registers<Isa, T>(cols, [&](index_t k, index_t count) INHIBITOR_INLINE_LAMBDA {
    const B x = load_first<Isa>(row + k, count, middle) - mean;  // lanes beyond the row add 0
    squares = squares + x * x;
  });
  const T variance = horizontal_sum<Isa, T>(squares) / static_cast<T>(cols);
  const B scale(T(1) / square_root(variance + norm.epsilon));
  for_registers<Isa, T>(cols, [&](index_t k, index_t count) INHIBITOR_INLINE_LAMBDA {
    const B x = (load_first<Isa>(row + k, count) - mean) * scale;
    store_first<Isa>(row + k, count,
                     x * load_first<Isa>(norm.weight + k, count) + load_first<Isa>(norm.bias + k, count));
  });
}

/// x * Phi(x) per lane, exact GELU (nn/gelu.hpp).
template <class Isa, class T>
INHIBITOR_INLINE batch<Isa, T> gelu(const batch<Isa, T>& x) {
  using B = batch<Isa, T>;
  const B half = B(T(0.5)) * x;
  return half + half * erf(x * B(T(0.7071067811865475244)));
}

}  // namespace detail

/// y (rows, cols) = f(y). Exact GELU, as gelu_forward.
template <class Isa, class T>
INHIBITOR_FLATTEN void activate_rows(T* y, index_t stride, index_t rows, index_t cols, activation f) {
  using B = batch<Isa, T>;
  if (f == activation::none) return;
  for (index_t i = 0; i < rows; ++i) {
    T* row = y + i * stride;
    detail::for_registers<Isa, T>(cols, [&](index_t k, index_t count) INHIBITOR_INLINE_LAMBDA {
      const B x = load_first<Isa>(row + k, count);
      if (f == activation::gelu) {
        store_first<Isa>(row + k, count, detail::gelu<Isa, T>(x));
      } else if (f == activation::relu) {
        store_first<Isa>(row + k, count, maximum(x, B(T(0))));
      } else {
        store_first<Isa>(row + k, count, x * sigmoid<Isa, T>(x));
      }
    });
  }
}

/// y (rows, cols) = f(y + bias), bias (cols).
template <class Isa, class T>
void bias_activate_rows(T* y, index_t stride, const T* bias, index_t rows, index_t cols, activation f) {
  for (index_t i = 0; i < rows; ++i) {
    T* row = y + i * stride;
    detail::for_registers<Isa, T>(cols, [&](index_t k, index_t count) INHIBITOR_INLINE_LAMBDA {
      store_first<Isa>(row + k, count, load_first<Isa>(row + k, count) + load_first<Isa>(bias + k, count));
    });
  }
  activate_rows<Isa, T>(y, stride, rows, cols, f);
}

/// y (rows, cols) = LayerNorm(y + x), x (rows, cols): the end of both halves of a block.
template <class Isa, class T>
void residual_norm_rows(T* y, index_t y_stride, const T* x, index_t x_stride, const norm_view<T>& norm, index_t rows,
                        index_t cols) {
  using B = batch<Isa, T>;
  for (index_t i = 0; i < rows; ++i) {
    T* row = y + i * y_stride;
    const T* other = x + i * x_stride;
    B sum(T(0));
    detail::for_registers<Isa, T>(cols, [&](index_t k, index_t count) INHIBITOR_INLINE_LAMBDA {
      const B both = load_first<Isa>(row + k, count) + load_first<Isa>(other + k, count);
      store_first<Isa>(row + k, count, both);
      sum = sum + both;
    });
    detail::normalize_row<Isa, T>(row, sum, norm, cols);
  }
}

/// y (rows, cols) = LayerNorm(word[ids[i]] + position[positions[i]] + token_type[types[i]]); the tables have `cols`
/// columns. `token_type` may be null: no such term; `types` may be null: all 0. The caller has checked the numbers.
template <class Isa, class T>
void embed_norm_rows(T* y, index_t y_stride, const std::int32_t* ids, const std::int32_t* positions,
                     const std::int32_t* types, const T* word, const T* position, const T* token_type,
                     const norm_view<T>& norm, index_t rows, index_t cols) {
  using B = batch<Isa, T>;
  for (index_t i = 0; i < rows; ++i) {
    T* row = y + i * y_stride;
    const T* w = word + ids[i] * cols;
    const T* p = position + positions[i] * cols;
    const T* t = token_type == nullptr ? nullptr : token_type + (types == nullptr ? 0 : types[i]) * cols;
    B sum(T(0));
    detail::for_registers<Isa, T>(cols, [&](index_t k, index_t count) INHIBITOR_INLINE_LAMBDA {
      B x = load_first<Isa>(w + k, count) + load_first<Isa>(p + k, count);
      if (t != nullptr) x = x + load_first<Isa>(t + k, count);
      store_first<Isa>(row + k, count, x);
      sum = sum + x;
    });
    detail::normalize_row<Isa, T>(row, sum, norm, cols);
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
