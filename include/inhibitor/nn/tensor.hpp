// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/config.hpp"

// Parameter tensors of the layers. A tensor is a view into one contiguous buffer that the model owns, so that
// parameters, gradients and optimizer moments are the same type and can be walked as one flat array. Field names are
// the checkpoint's tensor names; `visit` spells them out once.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// View of a contiguous tensor: rank 2 is (rows, cols), rank 1 is (cols) with rows == 1. An absent tensor has rank 0.
template <class T>
struct tensor {
  T* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  int rank = 0;

  index_t size() const { return rows * cols; }
  operator tensor<const T>() const { return {data, rows, cols, rank}; }
  static tensor matrix(index_t rows, index_t cols) { return {nullptr, rows, cols, 2}; }
  static tensor vector(index_t cols) { return {nullptr, 1, cols, 1}; }
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
  explicit norm_tensors(index_t size) : weight_and_bias<T>{tensor<T>::vector(size), tensor<T>::vector(size)} {}
};

/// Projections (C, C) of one attention layer and, for inhibitor layers, its three scalars per head: (H) each.
template <class T>
struct attention_tensors {
  linear_tensors<T> q_lin, k_lin, v_lin, out_lin;
  tensor<T> inhibitor_score_scale, inhibitor_shift, inhibitor_output_scale;

  attention_tensors() = default;
  attention_tensors(index_t dim, index_t heads, bool is_inhibitor)
      : q_lin(dim, dim), k_lin(dim, dim), v_lin(dim, dim), out_lin(dim, dim) {
    if (!is_inhibitor) return;
    inhibitor_score_scale = inhibitor_shift = inhibitor_output_scale = tensor<T>::vector(heads);
  }
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    q_lin.visit(prefix + ".q_lin", f);
    k_lin.visit(prefix + ".k_lin", f);
    v_lin.visit(prefix + ".v_lin", f);
    out_lin.visit(prefix + ".out_lin", f);
    if (inhibitor_shift.rank == 0) return;
    f(prefix + ".inhibitor_score_scale", inhibitor_score_scale);
    f(prefix + ".inhibitor_shift", inhibitor_shift);
    f(prefix + ".inhibitor_output_scale", inhibitor_output_scale);
  }
};

/// The two affine layers of the feed-forward network: (F, C) and (C, F).
template <class T>
struct ffn_tensors {
  linear_tensors<T> lin1, lin2;

  ffn_tensors() = default;
  ffn_tensors(index_t dim, index_t hidden) : lin1(hidden, dim), lin2(dim, hidden) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    lin1.visit(prefix + ".lin1", f);
    lin2.visit(prefix + ".lin2", f);
  }
};

/// One post-norm transformer block.
template <class T>
struct block_tensors {
  attention_tensors<T> attention;
  norm_tensors<T> sa_layer_norm;
  ffn_tensors<T> ffn;
  norm_tensors<T> output_layer_norm;

  block_tensors() = default;
  block_tensors(index_t dim, index_t heads, index_t hidden, bool is_inhibitor)
      : attention(dim, heads, is_inhibitor), sa_layer_norm(dim), ffn(dim, hidden), output_layer_norm(dim) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    attention.visit(prefix + ".attention", f);
    sa_layer_norm.visit(prefix + ".sa_layer_norm", f);
    ffn.visit(prefix + ".ffn", f);
    output_layer_norm.visit(prefix + ".output_layer_norm", f);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
