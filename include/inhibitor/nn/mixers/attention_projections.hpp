// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/nn/mixers/mixing.hpp"
#include "inhibitor/nn/tensor.hpp"

// What the mixers that are multi-head attention share:
//
//   q = q_lin(x);  k, v = k_lin(memory), v_lin(memory);  context = attention(q, k, v)
//
// Heads are strided views of (M, C), never copied.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Heads (B, tokens, H, D) of rows (B * tokens, C).
template <class T>
heads_view<T> heads_of_rows(T* rows, index_t tokens, index_t dim, index_t heads) {
  return {rows, tokens * dim, dim, dim / heads};
}

/// Where an attention mixer keeps q, k and v among mixer_activations::inner.
struct attention_inner {
  enum : std::size_t { q, k, v, count };
};

/// The projections (C, C) of an attention mixer, or their gradients.
template <class T>
struct attention_projections {
  linear_tensors<T> q_lin, k_lin, v_lin, out_lin;

  attention_projections() = default;
  explicit attention_projections(index_t dim) : q_lin(dim, dim), k_lin(dim, dim), v_lin(dim, dim), out_lin(dim, dim) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    q_lin.visit(prefix + ".q_lin", f);
    k_lin.visit(prefix + ".k_lin", f);
    v_lin.visit(prefix + ".v_lin", f);
    out_lin.visit(prefix + ".out_lin", f);
  }

  /// Fills q, k, v and calls attend(context, q, k, v, shape), which sets the context.
  template <class Attend>
  void forward_through(mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s,
                       const executor& workers, Attend&& attend) const {
    resize(saved.inner, s);
    saved.context.resize(s.rows() * s.dim);
    T *q = saved.inner[attention_inner::q].data(), *k = saved.inner[attention_inner::k].data(),
      *v = saved.inner[attention_inner::v].data();
    linear_forward(q, in.x, q_lin.weight.data, q_lin.bias.data, s.rows(), s.dim, s.dim, workers);
    linear_forward(k, in.keys_from(), k_lin.weight.data, k_lin.bias.data, s.key_rows(), s.dim, s.dim, workers);
    linear_forward(v, in.keys_from(), v_lin.weight.data, v_lin.bias.data, s.key_rows(), s.dim, s.dim, workers);
    attend(heads_of_rows(saved.context.data(), s.queries, s.dim, s.heads),
           heads_of_rows<const T>(q, s.queries, s.dim, s.heads), heads_of_rows<const T>(k, s.keys, s.dim, s.heads),
           heads_of_rows<const T>(v, s.keys, s.dim, s.heads), shape_of(s));
  }

  /// Mirror of forward_through: calls attend(dq, dk, dv, dcontext, q, k, v, shape), which adds to dq, dk and dv, and
  /// adds to the gradients `d` of q_lin, k_lin and v_lin and to what was read.
  template <class Attend>
  void backward_through(const mixer_input_gradients<T>& din, attention_projections& d, const T* dcontext,
                        const mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s,
                        mixer_scratch<T>& scratch, const executor& workers, Attend&& attend) const {
    resize(scratch.inner, s);
    for (auto& b : scratch.inner) b.fill_zero();
    T *dq = scratch.inner[attention_inner::q].data(), *dk = scratch.inner[attention_inner::k].data(),
      *dv = scratch.inner[attention_inner::v].data();
    // context = attention(q, k, v)
    const auto at = [&](std::size_t which, index_t tokens) {
      return heads_of_rows<const T>(saved.inner[which].data(), tokens, s.dim, s.heads);
    };
    attend(heads_of_rows(dq, s.queries, s.dim, s.heads), heads_of_rows(dk, s.keys, s.dim, s.heads),
           heads_of_rows(dv, s.keys, s.dim, s.heads), heads_of_rows(dcontext, s.queries, s.dim, s.heads),
           at(attention_inner::q, s.queries), at(attention_inner::k, s.keys), at(attention_inner::v, s.keys),
           shape_of(s));
    // linear_forward(q, x, q_lin), then k and v from the memory
    T* dmemory = in.memory != nullptr ? din.dmemory : din.dx;
    project_backward(din.dx, d.q_lin, dq, in.x, q_lin, s.rows(), workers);
    project_backward(dmemory, d.k_lin, dk, in.keys_from(), k_lin, s.key_rows(), workers);
    project_backward(dmemory, d.v_lin, dv, in.keys_from(), v_lin, s.key_rows(), workers);
  }

 private:
  static attention_shape shape_of(const mixer_shape& s) {
    return {s.batch, s.heads, s.queries, s.keys, s.dim / s.heads, s.dim / s.heads};
  }
  static void resize(std::vector<aligned_buffer<T>>& inner, const mixer_shape& s) {
    inner.resize(attention_inner::count);
    inner[attention_inner::q].resize(s.rows() * s.dim);
    inner[attention_inner::k].resize(s.key_rows() * s.dim);
    inner[attention_inner::v].resize(s.key_rows() * s.dim);
  }
  static void project_backward(T* dx, linear_tensors<T>& d, const T* dy, const T* x, const linear_tensors<T>& p,
                               index_t rows, const executor& workers) {
    linear_backward_parameters(d.weight.data, d.bias.data, dy, x, rows, p.weight.cols, p.weight.rows, workers);
    if (dx != nullptr) linear_backward_input(dx, dy, p.weight.data, rows, p.weight.cols, p.weight.rows, workers);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
