// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/kernels/rows/fused_rows.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The weight class of a policy of packed_linear (nn/packed_linear.hpp) whose library packs in every call: W keeps its
/// order. Product::run(y, y_stride, x, x_stride, w, rows, cols, in) sets y (rows, cols) = x (rows, in) * w (cols,
/// in)^T.
template <class T, class Product>
class unpacked_weight {
 public:
  // Large, because packing is paid for in every call: a block packs x once per 768 outputs, W once per 1024 rows.
  static index_t row_block() { return 1024; }
  static index_t column_block() { return 768; }
  static index_t column_step() { return 192; }

  unpacked_weight() = default;
  /// Copies w (out, in) and bias (out).
  unpacked_weight(const T* w, const T* bias, index_t out, index_t in)
      : out_(out), in_(in), values_(out * in), bias_(out) {
    std::copy_n(w, out * in, values_.data());
    std::copy_n(bias, out, bias_.data());
  }

  index_t out() const { return out_; }
  index_t in() const { return in_; }

  /// y (rows, cols) = f(x (rows, in) * W[column .. column + cols)^T + bias), y pointing to that column. Does not throw;
  /// the library may allocate.
  void multiply(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, index_t column, index_t cols,
                activation f) const {
    Product::run(y, y_stride, x, x_stride, values_.data() + column * in_, rows, cols, in_);
    bias_activate_rows(y, y_stride, bias_.data() + column, rows, cols, f);
  }

 private:
  index_t out_ = 0, in_ = 0;
  aligned_buffer<T> values_;  // (out, in)
  aligned_buffer<T> bias_;    // (out)
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
