// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "inhibitor/nn/linear.hpp"

// Exact GELU, x * Phi(x) with Phi the standard normal distribution function (Hendrycks & Gimpel 2016, arXiv 1606.08415
// eq. 1), by erf and not by the tanh approximation: DistilBERT checkpoints are trained with this form.

namespace inhibitor {

namespace detail {
constexpr index_t gelu_block = 4096;
}

/// y (size) = gelu(x (size)). Overwrites y, which may be x. Does not throw.
template <class T>
void gelu_forward(T* y, const T* x, index_t size, const executor& workers) {
  workers.for_each(detail::blocks(size, detail::gelu_block), [&](index_t item, index_t) {
    const index_t end = std::min(size, (item + 1) * detail::gelu_block);
    for (index_t i = item * detail::gelu_block; i < end; ++i) {
      y[i] = x[i] * T(0.5) * (T(1) + std::erf(x[i] * T(0.7071067811865475244)));
    }
  });
}

/// Adds to dx (size) from dy (size) and the input x (size) of gelu_forward: gelu'(x) = Phi(x) + x * phi(x). Does not
/// throw.
template <class T>
void gelu_backward(T* dx, const T* dy, const T* x, index_t size, const executor& workers) {
  workers.for_each(detail::blocks(size, detail::gelu_block), [&](index_t item, index_t) {
    const index_t end = std::min(size, (item + 1) * detail::gelu_block);
    for (index_t i = item * detail::gelu_block; i < end; ++i) {
      const T distribution = T(0.5) * (T(1) + std::erf(x[i] * T(0.7071067811865475244)));
      const T density = T(0.3989422804014326779) * std::exp(T(-0.5) * x[i] * x[i]);
      dx[i] += dy[i] * (distribution + x[i] * density);
    }
  });
}

}  // namespace inhibitor
