// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/config.hpp"

// Parameter tensors. A tensor is a view into one contiguous buffer that the model owns (models/parameters.hpp), so that
// parameters, gradients and optimizer moments are the same type and can be walked as one flat array. Boxes
// (feed-forward, mixer, block, head ...) hold tensors named as in a DistilBERT checkpoint; their `visit` spells the
// names out once.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// View of a contiguous tensor: rank 2 is (rows, cols), rank 1 is (cols) with rows == 1. An absent tensor has rank 0.
template <class T>
struct tensor {
  T* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  int rank = 0;
  double initial = 0;    ///< every value of a new model; of rank 2 they are drawn instead (models/parameters.hpp)
  bool is_tied = false;  ///< all its values are one parameter: one gradient, one moment (optim/adamw.hpp)

  index_t size() const { return rows * cols; }
  operator tensor<const T>() const { return {data, rows, cols, rank, initial, is_tied}; }
  static tensor matrix(index_t rows, index_t cols) { return {nullptr, rows, cols, 2}; }
  static tensor vector(index_t cols, double initial = 0) { return {nullptr, 1, cols, 1, initial}; }
};

/// A weight and a bias, the two tensors of most layers.
template <class T>
struct weight_and_bias {
  tensor<T> weight, bias;

  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    f(prefix + ".weight", weight);
    f(prefix + ".bias", bias);
  }
};

/// Weight (out, in) and bias (out) of an affine layer.
template <class T>
struct linear_tensors : weight_and_bias<T> {
  linear_tensors() = default;
  linear_tensors(index_t out, index_t in) : weight_and_bias<T>{tensor<T>::matrix(out, in), tensor<T>::vector(out)} {}
};

/// Weight (size) and bias (size) of a layer normalization.
template <class T>
struct norm_tensors : weight_and_bias<T> {
  norm_tensors() = default;
  explicit norm_tensors(index_t size) : weight_and_bias<T>{tensor<T>::vector(size, 1), tensor<T>::vector(size)} {}
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
