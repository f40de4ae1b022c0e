// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/nn/fused_rows.hpp"
#include "inhibitor/nn/linear.hpp"

namespace inhibitor {

/// Policy of packed_linear (nn/packed_linear.hpp): Eigen's product, one single-threaded call per block.
struct eigen_gemm {
  static std::string name() {
    return "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
           std::to_string(EIGEN_MINOR_VERSION);
  }

  template <class T>
  class weight {
   public:
    static constexpr index_t row_block = 128;
    static constexpr index_t column_block = 384;

    weight() = default;
    /// Copies w (out, in) and bias (out). Eigen packs what it multiplies in every call, so the copy keeps its order.
    weight(const T* w, const T* bias, index_t out, index_t in) : out_(out), in_(in), values_(out * in), bias_(out) {
      std::copy_n(w, out * in, values_.data());
      std::copy_n(bias, out, bias_.data());
    }

    index_t out() const { return out_; }
    index_t in() const { return in_; }

    /// y (rows, c) = f(x (rows, in) * W[column .. column + c)^T + bias), c up to column_block and cut at `out`;
    /// `column` is a multiple of column_block and y points to that column. rows <= row_block. Does not throw; Eigen may
    /// allocate.
    void multiply(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, index_t column,
                  activation f) const {
      const index_t cols = std::min(column_block, out_ - column);
      detail::strided_map<T> y_block(y, rows, cols, Eigen::OuterStride<>(y_stride));
      const detail::strided_const_map<T> x_block(x, rows, in_, Eigen::OuterStride<>(x_stride));
      const detail::strided_const_map<T> w_block(values_.data() + column * in_, cols, in_, Eigen::OuterStride<>(in_));
      y_block.noalias() = x_block * w_block.transpose();
      bias_activate_rows(y, y_stride, bias_.data() + column, rows, cols, f);
    }

   private:
    index_t out_ = 0, in_ = 0;
    aligned_buffer<T> values_;  // (out, in)
    aligned_buffer<T> bias_;    // (out)
  };
};

}  // namespace inhibitor
