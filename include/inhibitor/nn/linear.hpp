// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include "inhibitor/nn/blocks.hpp"
#include "inhibitor/nn/eigen_maps.hpp"
#include "inhibitor/nn/fixed_order_sum.hpp"

// Affine layer y = x W^T + b with the weight stored (out, in), as checkpoints store it.
//
// Products run on Eigen, one single-threaded product per block (nn/blocks.hpp). Compile with EIGEN_DONT_PARALLELIZE
// when OpenMP is on: threads started by Eigen inside a block would break the promise that results are the same for any
// number of workers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// y (rows, out) = x (rows, in) * weight (out, in)^T + bias (out). Overwrites y. Does not throw.
template <class T>
void linear_forward(T* y, const T* x, const T* weight, const T* bias, index_t rows, index_t in, index_t out,
                    const executor& workers) {
  for_each_tile(rows, out, workers, [&](index_t r0, index_t r, index_t c0, index_t c) {
    strided_map<T> y_block(y + r0 * out + c0, r, c, Eigen::OuterStride<>(out));
    strided_const_map<T> x_block(x + r0 * in, r, in, Eigen::OuterStride<>(in));
    strided_const_map<T> w_block(weight + c0 * in, c, in, Eigen::OuterStride<>(in));
    Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>> bias_block(bias + c0, c);
    y_block.noalias() = x_block * w_block.transpose();
    y_block.rowwise() += bias_block;
  });
}

/// Adds to dweight (out, in) and dbias (out) from dy (rows, out) and x (rows, in). Does not throw.
template <class T>
void linear_backward_parameters(T* dweight, T* dbias, const T* dy, const T* x, index_t rows, index_t in, index_t out,
                                const executor& workers) {
  for_each_range(out, rows_per_block, workers, [&](index_t c0, index_t end) {
    const index_t c = end - c0;
    strided_const_map<T> dy_block(dy + c0, rows, c, Eigen::OuterStride<>(out));
    strided_const_map<T> x_all(x, rows, in, Eigen::OuterStride<>(in));
    strided_map<T> dw_block(dweight + c0 * in, c, in, Eigen::OuterStride<>(in));
    dw_block.noalias() += dy_block.transpose() * x_all;
    add_column_sums(dbias + c0, dy + c0, rows, c, out);
  });
}

/// Adds to dx (rows, in) from dy (rows, out) and weight (out, in). Does not throw.
template <class T>
void linear_backward_input(T* dx, const T* dy, const T* weight, index_t rows, index_t in, index_t out,
                           const executor& workers) {
  for_each_tile(rows, in, workers, [&](index_t r0, index_t r, index_t c0, index_t c) {
    strided_map<T> dx_block(dx + r0 * in + c0, r, c, Eigen::OuterStride<>(in));
    strided_const_map<T> dy_block(dy + r0 * out, r, out, Eigen::OuterStride<>(out));
    strided_const_map<T> w_block(weight + c0, out, c, Eigen::OuterStride<>(in));
    dx_block.noalias() += dy_block * w_block;
  });
}

/// Gradients of linear_forward: adds to dx (rows, in), dweight (out, in) and dbias (out). Does not throw.
template <class T>
void linear_backward(T* dx, T* dweight, T* dbias, const T* dy, const T* x, const T* weight, index_t rows, index_t in,
                     index_t out, const executor& workers) {
  linear_backward_parameters(dweight, dbias, dy, x, rows, in, out, workers);
  linear_backward_input(dx, dy, weight, rows, in, out, workers);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
