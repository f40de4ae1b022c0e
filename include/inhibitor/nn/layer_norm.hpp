// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "inhibitor/nn/blocks.hpp"
#include "inhibitor/nn/fixed_order_sum.hpp"

// Layer normalization over the last dimension: y = (x - mean) / sqrt(variance + epsilon) * weight + bias, with the
// biased variance (Ba et al. 2016, arXiv 1607.06450 eq. 3-4).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// y (rows, cols) from x (rows, cols), weight (cols), bias (cols). Saves mean (rows) and rstd (rows) = 1 /
/// sqrt(variance + epsilon) for the backward pass. Overwrites y, which may be x. Does not throw.
template <class T>
void layer_norm_forward(T* y, T* mean, T* rstd, const T* x, const T* weight, const T* bias, index_t rows, index_t cols,
                        T epsilon, const executor& workers) {
  using row_map = Eigen::Map<Eigen::Array<T, 1, Eigen::Dynamic>>;
  using const_row_map = Eigen::Map<const Eigen::Array<T, 1, Eigen::Dynamic>>;
  const const_row_map w(weight, cols), b(bias, cols);
  for_each_range(rows, rows_per_block, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      const const_row_map xi(x + i * cols, cols);
      const T* row = x + i * cols;
      const T m = fixed_order_sum<T>(cols, [&](index_t k, index_t n) { return load_first<best_isa>(row + k, n); }) /
                  static_cast<T>(cols);
      const batch<best_isa, T> center(m);
      const T squares = fixed_order_sum<T>(cols, [&](index_t k, index_t n) {
        const auto d = load_first<best_isa>(row + k, n) - center;
        return d * d;
      });
      const T r = T(1) / std::sqrt(squares / static_cast<T>(cols) + epsilon);
      row_map(y + i * cols, cols) = (xi - m) * r * w + b;
      mean[i] = m;
      rstd[i] = r;
    }
  });
}

/// Gradients of layer_norm_forward: adds to dx (rows, cols), dweight (cols) and dbias (cols). `x`, `mean` and `rstd`
/// are the input and what the forward pass saved. Does not throw.
template <class T>
void layer_norm_backward(T* dx, T* dweight, T* dbias, const T* dy, const T* x, const T* mean, const T* rstd,
                         const T* weight, index_t rows, index_t cols, const executor& workers) {
  using row_map = Eigen::Map<Eigen::Array<T, 1, Eigen::Dynamic>>;
  using const_row_map = Eigen::Map<const Eigen::Array<T, 1, Eigen::Dynamic>>;
  const const_row_map w(weight, cols);
  for_each_range(rows, rows_per_block, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      const const_row_map xi(x + i * cols, cols), dyi(dy + i * cols, cols);
      const T m = mean[i], r = rstd[i];
      // With n = (x - mean) * rstd and g = dy * weight: dx = rstd * (g - mean(g) - n * mean(g * n)).
      const T *x_row = x + i * cols, *dy_row = dy + i * cols;
      const batch<best_isa, T> center(m);
      const auto g = [&](index_t k, index_t n) {
        return load_first<best_isa>(dy_row + k, n) * load_first<best_isa>(weight + k, n);
      };
      const T g_mean = fixed_order_sum<T>(cols, g) / static_cast<T>(cols);
      const T gn_sum = fixed_order_sum<T>(
          cols, [&](index_t k, index_t n) { return g(k, n) * (load_first<best_isa>(x_row + k, n) - center); });
      const T gn_mean = gn_sum / static_cast<T>(cols) * r;
      row_map(dx + i * cols, cols) += r * (dyi * w - g_mean - (xi - m) * (r * gn_mean));
    }
  });
  // The sums over rows run inside one column block each, in row order, so they do not depend on the workers.
  for_each_range(cols, rows_per_block, workers, [&](index_t c0, index_t end) {
    const index_t c = end - c0;
    row_map dw(dweight + c0, c), db(dbias + c0, c);
    for (index_t i = 0; i < rows; ++i) {
      const const_row_map xi(x + i * cols + c0, c), dyi(dy + i * cols + c0, c);
      dw += dyi * (xi - mean[i]) * rstd[i];
      db += dyi;
    }
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
