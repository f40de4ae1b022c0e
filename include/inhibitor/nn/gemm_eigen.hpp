// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <string>

#include "inhibitor/nn/eigen_maps.hpp"
#include "inhibitor/nn/unpacked_weight.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Policy of packed_linear (nn/packed_linear.hpp): Eigen's product, one single-threaded call per block. Allocates in
/// every call.
struct eigen_gemm {
  static std::string name() {
    return "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
           std::to_string(EIGEN_MINOR_VERSION);
  }

  /// y (rows, cols) = x (rows, in) * w (cols, in)^T.
  template <class T>
  static void run(T* y, index_t y_stride, const T* x, index_t x_stride, const T* w, index_t rows, index_t cols,
                  index_t in) {
    strided_map<T> y_block(y, rows, cols, Eigen::OuterStride<>(y_stride));
    const strided_const_map<T> x_block(x, rows, in, Eigen::OuterStride<>(x_stride));
    const strided_const_map<T> w_block(w, cols, in, Eigen::OuterStride<>(in));
    y_block.noalias() = x_block * w_block.transpose();
  }

  template <class T>
  using weight = unpacked_weight<T, eigen_gemm>;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
