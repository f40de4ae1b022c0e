// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/nn/activation.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/nn/tensor.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the forward pass of a feed_forward keeps.
template <class T>
struct feed_forward_activations {
  aligned_buffer<T> in, act;  // (M, F) before and after the activation

  void resize(index_t rows, index_t intermediate) {
    in.resize(rows * intermediate);
    act.resize(rows * intermediate);
  }
};

/// The feed-forward network of a block, y = lin2(f(lin1(x))) with lin1 (F, C) and lin2 (C, F): tensors, or their
/// gradients. f is GELU in BERT.
template <class T>
struct feed_forward {
  linear_tensors<T> lin1, lin2;

  feed_forward() = default;
  feed_forward(index_t dim, index_t intermediate) : lin1(intermediate, dim), lin2(dim, intermediate) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    lin1.visit(prefix + ".lin1", f);
    lin2.visit(prefix + ".lin2", f);
  }

  index_t dim() const { return lin1.weight.cols; }
  index_t intermediate() const { return lin1.weight.rows; }

  /// y (M, C) from x (M, C). Overwrites y. Does not throw.
  void forward(T* y, feed_forward_activations<T>& saved, const T* x, index_t rows, const executor& workers,
               activation f = activation::gelu) const {
    linear_forward(saved.in.data(), x, lin1.weight.data, lin1.bias.data, rows, dim(), intermediate(), workers);
    activation_forward(saved.act.data(), saved.in.data(), rows * intermediate(), f, workers);
    linear_forward(y, saved.act.data(), lin2.weight.data, lin2.bias.data, rows, intermediate(), dim(), workers);
  }

  /// Adds to dx (M, C) and to the gradients `d` from dy (M, C). `scratch` is overwritten. Does not throw.
  void backward(T* dx, feed_forward& d, const T* dy, const feed_forward_activations<T>& saved, const T* x, index_t rows,
                feed_forward_activations<T>& scratch, const executor& workers, activation f = activation::gelu) const {
    // linear_forward(y, act, lin2)
    scratch.act.fill_zero();
    linear_backward(scratch.act.data(), d.lin2.weight.data, d.lin2.bias.data, dy, saved.act.data(), lin2.weight.data,
                    rows, intermediate(), dim(), workers);
    // activation_forward(act, in)
    scratch.in.fill_zero();
    activation_backward(scratch.in.data(), scratch.act.data(), saved.in.data(), rows * intermediate(), f, workers);
    // linear_forward(in, x, lin1)
    linear_backward(dx, d.lin1.weight.data, d.lin1.bias.data, scratch.in.data(), x, lin1.weight.data, rows, dim(),
                    intermediate(), workers);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
