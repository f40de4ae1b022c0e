// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/nn/registers.hpp"

// Exact GELU, x * Phi(x) with Phi the standard normal distribution function (Hendrycks & Gimpel 2016, arXiv 1606.08415
// eq. 1), by erf and not by the tanh approximation: DistilBERT checkpoints are trained with this form.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// Phi(x) per lane.
template <class T>
batch<best_isa, T> normal_distribution(const batch<best_isa, T>& x) {
  using B = batch<best_isa, T>;
  return B(T(0.5)) * (B(T(1)) + erf(x * B(T(0.7071067811865475244))));
}

}  // namespace detail

/// y (size) = gelu(x (size)). Overwrites y, which may be x. Does not throw.
template <class T>
void gelu_forward(T* y, const T* x, index_t size, const executor& workers) {
  for_each_register<T>(size, workers, [&](index_t i, index_t count) {
    const auto v = load_first<best_isa>(x + i, count);
    store_first<best_isa>(y + i, count, v * detail::normal_distribution<T>(v));
  });
}

/// Adds to dx (size) from dy (size) and the input x (size) of gelu_forward: gelu'(x) = Phi(x) + x * phi(x), phi the
/// density. Does not throw.
template <class T>
void gelu_backward(T* dx, const T* dy, const T* x, index_t size, const executor& workers) {
  using B = batch<best_isa, T>;
  for_each_register<T>(size, workers, [&](index_t i, index_t count) {
    const B v = load_first<best_isa>(x + i, count);
    const B density = B(T(0.3989422804014326779)) * exp(B(T(-0.5)) * v * v);
    const B slope = detail::normal_distribution<T>(v) + v * density;
    store_first<best_isa>(dx + i, count,
                          load_first<best_isa>(dx + i, count) + load_first<best_isa>(dy + i, count) * slope);
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
