// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/simd/sigmoid.hpp"

// What stands between the two layers of a feed-forward network: GELU (nn/gelu.hpp), ReLU, or SiLU (x * sigmoid(x),
// Hendrycks & Gimpel 2016, arXiv 1606.08415; called swish by Marian's models).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// y (size) = f(x (size)). Overwrites y, which may be x. Does not throw.
template <class T>
void activation_forward(T* y, const T* x, index_t size, activation f, const executor& workers) {
  using B = batch<best_isa, T>;
  switch (f) {
    case activation::none:
      std::copy_n(x, size, y);
      return;
    case activation::gelu:
      gelu_forward(y, x, size, workers);
      return;
    case activation::relu:
      for_each_register<T>(size, workers, [&](index_t i, index_t count) {
        store_first<best_isa>(y + i, count, maximum(load_first<best_isa>(x + i, count), B(T(0))));
      });
      return;
    case activation::silu:
      for_each_register<T>(size, workers, [&](index_t i, index_t count) {
        const B v = load_first<best_isa>(x + i, count);
        store_first<best_isa>(y + i, count, v * sigmoid<best_isa, T>(v));
      });
      return;
  }
}

/// Adds to dx (size) from dy (size) and the input x (size) of activation_forward. ReLU'(0) = 0. Does not throw.
template <class T>
void activation_backward(T* dx, const T* dy, const T* x, index_t size, activation f, const executor& workers) {
  using B = batch<best_isa, T>;
  switch (f) {
    case activation::none:
      for (index_t i = 0; i < size; ++i) dx[i] += dy[i];
      return;
    case activation::gelu:
      gelu_backward(dx, dy, x, size, workers);
      return;
    case activation::relu:
      for_each_range(size, 4096, workers, [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i) dx[i] += x[i] > T(0) ? dy[i] : T(0);
      });
      return;
    case activation::silu:
      for_each_register<T>(size, workers, [&](index_t i, index_t count) {
        const B v = load_first<best_isa>(x + i, count), s = sigmoid<best_isa, T>(v);
        const B slope = s + v * s * (B(T(1)) - s);
        store_first<best_isa>(dx + i, count,
                              load_first<best_isa>(dx + i, count) + load_first<best_isa>(dy + i, count) * slope);
      });
      return;
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
