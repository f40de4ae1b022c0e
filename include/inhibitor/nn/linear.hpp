// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "inhibitor/base/config.hpp"
#include "inhibitor/base/executor.hpp"

// Affine layer y = x W^T + b with the weight stored (out, in), as checkpoints store it.
//
// Products run on Eigen. The work is cut into blocks whose sizes depend on the shape alone, and every block is one
// single-threaded product, so results are the same for any number of workers. Compile with EIGEN_DONT_PARALLELIZE when
// OpenMP is on: threads started by Eigen inside a block would break that promise.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using strided_map = Eigen::Map<row_major<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using strided_const_map = Eigen::Map<const row_major<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

// 64 rows keep a block of the tiny models (dim 128) large enough for the product's inner kernel and still give two
// workers something to share; 512 columns keep the packed weight block inside L2.
constexpr index_t row_block = 64;
constexpr index_t column_block = 512;

constexpr index_t blocks(index_t extent, index_t block) { return (extent + block - 1) / block; }

/// Calls body(r0, r, c0, c) for the blocks of r x c at (r0, c0) that a (rows, cols) array is cut into.
template <class Body>
void for_each_block(index_t rows, index_t cols, const executor& workers, Body&& body) {
  const index_t column_blocks = blocks(cols, column_block);
  workers.for_each(blocks(rows, row_block) * column_blocks, [&](index_t item, index_t) {
    const index_t r0 = item / column_blocks * row_block, c0 = item % column_blocks * column_block;
    body(r0, std::min(row_block, rows - r0), c0, std::min(column_block, cols - c0));
  });
}

}  // namespace detail

/// y (rows, out) = x (rows, in) * weight (out, in)^T + bias (out). Overwrites y. Does not throw.
template <class T>
void linear_forward(T* y, const T* x, const T* weight, const T* bias, index_t rows, index_t in, index_t out,
                    const executor& workers) {
  detail::for_each_block(rows, out, workers, [&](index_t r0, index_t r, index_t c0, index_t c) {
    detail::strided_map<T> y_block(y + r0 * out + c0, r, c, Eigen::OuterStride<>(out));
    detail::strided_const_map<T> x_block(x + r0 * in, r, in, Eigen::OuterStride<>(in));
    detail::strided_const_map<T> w_block(weight + c0 * in, c, in, Eigen::OuterStride<>(in));
    Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>> bias_block(bias + c0, c);
    y_block.noalias() = x_block * w_block.transpose();
    y_block.rowwise() += bias_block;
  });
}

/// Adds to dweight (out, in) and dbias (out) from dy (rows, out) and x (rows, in). Does not throw.
template <class T>
void linear_backward_parameters(T* dweight, T* dbias, const T* dy, const T* x, index_t rows, index_t in, index_t out,
                                const executor& workers) {
  workers.for_each(detail::blocks(out, detail::row_block), [&](index_t item, index_t) {
    const index_t c0 = item * detail::row_block;
    const index_t c = std::min(detail::row_block, out - c0);
    detail::strided_const_map<T> dy_block(dy + c0, rows, c, Eigen::OuterStride<>(out));
    detail::strided_const_map<T> x_all(x, rows, in, Eigen::OuterStride<>(in));
    detail::strided_map<T> dw_block(dweight + c0 * in, c, in, Eigen::OuterStride<>(in));
    Eigen::Map<Eigen::Matrix<T, 1, Eigen::Dynamic>> db_block(dbias + c0, c);
    dw_block.noalias() += dy_block.transpose() * x_all;
    db_block += dy_block.colwise().sum();
  });
}

/// Adds to dx (rows, in) from dy (rows, out) and weight (out, in). Does not throw.
template <class T>
void linear_backward_input(T* dx, const T* dy, const T* weight, index_t rows, index_t in, index_t out,
                           const executor& workers) {
  detail::for_each_block(rows, in, workers, [&](index_t r0, index_t r, index_t c0, index_t c) {
    detail::strided_map<T> dx_block(dx + r0 * in + c0, r, c, Eigen::OuterStride<>(in));
    detail::strided_const_map<T> dy_block(dy + r0 * out, r, out, Eigen::OuterStride<>(out));
    detail::strided_const_map<T> w_block(weight + c0, out, c, Eigen::OuterStride<>(in));
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
