// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/nn/tensor.hpp"

// One post-norm transformer block (BERT, arXiv 1810.04805; DistilBERT, arXiv 1910.01108), in two halves because the
// distillation's layer-wise stage needs the first alone:
//
//   context:  q, k, v = linear(x);  context = attention(q, k, v)
//   output:   h = LayerNorm(x + dropout(out_lin(context)));  y = LayerNorm(h + dropout(lin2(gelu(lin1(h)))))
//
// M = batch * length rows everywhere; heads are strided views of (M, C), never copied.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Extents and options of a block for one batch.
struct block_shape {
  index_t batch = 0, length = 0;  // B, L
  index_t dim = 0, heads = 0;     // C, H
  index_t hidden = 0;             // F
  attention_kind attention = attention_kind::dot_product;
  inhibitor_options inhibitor;
  bool add_only = false;       ///< inhibitor forward without multiplication: score scale sqrt(D), output scale 1
  double dropout = 0;          ///< on the feed-forward output; 0 outside training
  double context_dropout = 0;  ///< on the output of out_lin, which BERT drops and DistilBERT does not
  double layer_norm_epsilon = 1e-12;

  index_t rows() const { return batch * length; }
};

/// What the forward pass of a block keeps for its backward pass.
template <class T>
struct block_activations {
  aligned_buffer<T> q, k, v;                      // (M, C)
  aligned_buffer<T> context;                      // (M, C) attention output before out_lin
  aligned_buffer<T> sa_sum, sa_mean, sa_rstd;     // (M, C), (M), (M)
  aligned_buffer<T> h;                            // (M, C) after sa_layer_norm
  aligned_buffer<T> ffn_in, ffn_act;              // (M, F) before and after GELU
  aligned_buffer<T> out_sum, out_mean, out_rstd;  // (M, C), (M), (M)

  void resize(const block_shape& s) {
    for (auto* b : {&q, &k, &v, &context, &sa_sum, &h, &out_sum}) b->resize(s.rows() * s.dim);
    for (auto* b : {&sa_mean, &sa_rstd, &out_mean, &out_rstd}) b->resize(s.rows());
    for (auto* b : {&ffn_in, &ffn_act}) b->resize(s.rows() * s.hidden);
  }
};

/// Scratch of the backward pass, shared by all blocks of a model.
template <class T>
struct block_gradients {
  aligned_buffer<T> dq, dk, dv;         // (M, C)
  aligned_buffer<T> dsum, dh;           // (M, C)
  aligned_buffer<T> dffn_in, dffn_act;  // (M, F)

  void resize(const block_shape& s) {
    for (auto* b : {&dq, &dk, &dv, &dsum, &dh}) b->resize(s.rows() * s.dim);
    for (auto* b : {&dffn_in, &dffn_act}) b->resize(s.rows() * s.hidden);
  }
};

/// Decisions of the two dropouts of a block's second half.
struct block_dropout_streams {
  dropout_stream context, ffn;
};

namespace detail {

template <class T>
heads_view<T> heads_of(T* data, const block_shape& s) {
  return {data, s.length * s.dim, s.dim, s.dim / s.heads};
}

inline attention_shape self_attention_shape(const block_shape& s) {
  return {s.batch, s.heads, s.length, s.length, s.dim / s.heads, s.dim / s.heads};
}

template <class T>
inhibitor_attention<T> mechanism_of(const attention_tensors<T>& p, const block_shape& s) {
  return {s.inhibitor, {p.inhibitor_score_scale.data, p.inhibitor_shift.data, p.inhibitor_output_scale.data}};
}

/// y += x over (size), in parallel.
template <class T>
void add_to(T* y, const T* x, index_t size, const executor& workers) {
  constexpr index_t block = 16384;
  workers.for_each(blocks(size, block), [&](index_t item, index_t) {
    const index_t end = std::min(size, (item + 1) * block);
    for (index_t i = item * block; i < end; ++i) y[i] += x[i];
  });
}

}  // namespace detail

/// First half: fills saved.q, k, v and saved.context from x (M, C). `key_mask` (B, L), 1 = attend. Does not throw;
/// allocates only while the workspace grows.
template <class T>
void block_context_forward(block_activations<T>& saved, const T* x, const std::uint8_t* key_mask,
                           const block_tensors<T>& p, const block_shape& s, attention_workspace& workspace,
                           const executor& workers) {
  const attention_tensors<T>& a = p.attention;
  linear_forward(saved.q.data(), x, a.q_lin.weight.data, a.q_lin.bias.data, s.rows(), s.dim, s.dim, workers);
  linear_forward(saved.k.data(), x, a.k_lin.weight.data, a.k_lin.bias.data, s.rows(), s.dim, s.dim, workers);
  linear_forward(saved.v.data(), x, a.v_lin.weight.data, a.v_lin.bias.data, s.rows(), s.dim, s.dim, workers);
  const auto attend = [&](const auto& mechanism) {
    multi_head_attention_forward<T>(detail::heads_of(saved.context.data(), s), detail::heads_of(saved.q.data(), s),
                                    detail::heads_of(saved.k.data(), s), detail::heads_of(saved.v.data(), s),
                                    detail::self_attention_shape(s), attention_mask{key_mask, false}, mechanism,
                                    workspace, workers);
  };
  if (s.attention == attention_kind::inhibitor && s.add_only) {
    attend(add_only_inhibitor_attention<T>{s.inhibitor.center, s.inhibitor.is_signed, s.inhibitor.skip_inhibited,
                                           a.inhibitor_shift.data});
  } else if (s.attention == attention_kind::inhibitor) {
    attend(detail::mechanism_of(a, s));
  } else {
    attend(dot_product_attention<T>{});
  }
}

/// Second half: y (M, C) from x (M, C) and saved.context; fills the rest of `saved`. Does not throw.
template <class T>
void block_output_forward(T* y, block_activations<T>& saved, const T* x, const block_tensors<T>& p,
                          const block_shape& s, const block_dropout_streams& streams, const executor& workers) {
  const index_t rows = s.rows();
  const T epsilon = static_cast<T>(s.layer_norm_epsilon);
  const linear_tensors<T>& out_lin = p.attention.out_lin;
  linear_forward(saved.sa_sum.data(), saved.context.data(), out_lin.weight.data, out_lin.bias.data, rows, s.dim, s.dim,
                 workers);
  dropout(saved.sa_sum.data(), rows * s.dim, s.context_dropout, streams.context, workers);
  detail::add_to(saved.sa_sum.data(), x, rows * s.dim, workers);
  layer_norm_forward(saved.h.data(), saved.sa_mean.data(), saved.sa_rstd.data(), saved.sa_sum.data(),
                     p.sa_layer_norm.weight.data, p.sa_layer_norm.bias.data, rows, s.dim, epsilon, workers);

  linear_forward(saved.ffn_in.data(), saved.h.data(), p.ffn.lin1.weight.data, p.ffn.lin1.bias.data, rows, s.dim,
                 s.hidden, workers);
  gelu_forward(saved.ffn_act.data(), saved.ffn_in.data(), rows * s.hidden, workers);
  linear_forward(saved.out_sum.data(), saved.ffn_act.data(), p.ffn.lin2.weight.data, p.ffn.lin2.bias.data, rows,
                 s.hidden, s.dim, workers);
  dropout(saved.out_sum.data(), rows * s.dim, s.dropout, streams.ffn, workers);
  detail::add_to(saved.out_sum.data(), saved.h.data(), rows * s.dim, workers);
  layer_norm_forward(y, saved.out_mean.data(), saved.out_rstd.data(), saved.out_sum.data(),
                     p.output_layer_norm.weight.data, p.output_layer_norm.bias.data, rows, s.dim, epsilon, workers);
}

/// Mirror of block_output_forward: adds to dx (M, C), to dcontext (M, C) and to the gradients `dp` of out_lin, ffn and
/// both norms, from dy (M, C). Does not throw.
template <class T>
void block_output_backward(T* dx, T* dcontext, block_tensors<T>& dp, const T* dy, const block_activations<T>& saved,
                           const block_tensors<T>& p, const block_shape& s, const block_dropout_streams& streams,
                           block_gradients<T>& scratch, const executor& workers) {
  const index_t rows = s.rows();
  T* dsum = scratch.dsum.data();
  T* dh = scratch.dh.data();
  // y = LayerNorm(out_sum), out_sum = h + dropout(lin2(...)): the gradient of out_sum is that of both terms.
  scratch.dsum.fill_zero();
  layer_norm_backward(dsum, dp.output_layer_norm.weight.data, dp.output_layer_norm.bias.data, dy, saved.out_sum.data(),
                      saved.out_mean.data(), saved.out_rstd.data(), p.output_layer_norm.weight.data, rows, s.dim,
                      workers);
  std::copy(dsum, dsum + rows * s.dim, dh);
  dropout(dsum, rows * s.dim, s.dropout, streams.ffn, workers);
  scratch.dffn_act.fill_zero();
  linear_backward(scratch.dffn_act.data(), dp.ffn.lin2.weight.data, dp.ffn.lin2.bias.data, dsum, saved.ffn_act.data(),
                  p.ffn.lin2.weight.data, rows, s.hidden, s.dim, workers);
  scratch.dffn_in.fill_zero();
  gelu_backward(scratch.dffn_in.data(), scratch.dffn_act.data(), saved.ffn_in.data(), rows * s.hidden, workers);
  linear_backward(dh, dp.ffn.lin1.weight.data, dp.ffn.lin1.bias.data, scratch.dffn_in.data(), saved.h.data(),
                  p.ffn.lin1.weight.data, rows, s.dim, s.hidden, workers);
  // h = LayerNorm(sa_sum), sa_sum = x + dropout(out_lin(context)).
  scratch.dsum.fill_zero();
  layer_norm_backward(dsum, dp.sa_layer_norm.weight.data, dp.sa_layer_norm.bias.data, dh, saved.sa_sum.data(),
                      saved.sa_mean.data(), saved.sa_rstd.data(), p.sa_layer_norm.weight.data, rows, s.dim, workers);
  detail::add_to(dx, dsum, rows * s.dim, workers);
  dropout(dsum, rows * s.dim, s.context_dropout, streams.context, workers);
  linear_backward(dcontext, dp.attention.out_lin.weight.data, dp.attention.out_lin.bias.data, dsum,
                  saved.context.data(), p.attention.out_lin.weight.data, rows, s.dim, s.dim, workers);
}

/// Mirror of block_context_forward: adds to dx (M, C) unless it is null, and to the gradients `dp` of q_lin, k_lin,
/// v_lin and the inhibitor's scalars, from dcontext (M, C). Does not throw; allocates only while the workspace grows.
template <class T>
void block_context_backward(T* dx, block_tensors<T>& dp, const T* dcontext, const block_activations<T>& saved,
                            const T* x, const std::uint8_t* key_mask, const block_tensors<T>& p, const block_shape& s,
                            block_gradients<T>& scratch, attention_workspace& workspace, const executor& workers) {
  const index_t rows = s.rows();
  attention_tensors<T>& da = dp.attention;
  for (auto* b : {&scratch.dq, &scratch.dk, &scratch.dv}) b->fill_zero();
  const heads_view<T> dq = detail::heads_of(scratch.dq.data(), s);
  const heads_view<T> dk = detail::heads_of(scratch.dk.data(), s);
  const heads_view<T> dv = detail::heads_of(scratch.dv.data(), s);
  const heads_view<const T> dout = detail::heads_of(dcontext, s);
  const heads_view<const T> q = detail::heads_of(saved.q.data(), s);
  const heads_view<const T> k = detail::heads_of(saved.k.data(), s);
  const heads_view<const T> v = detail::heads_of(saved.v.data(), s);
  const attention_shape shape = detail::self_attention_shape(s);
  const attention_mask mask{key_mask, false};
  if (s.attention == attention_kind::inhibitor) {
    const inhibitor_scalars<T> dscalars{da.inhibitor_score_scale.data, da.inhibitor_shift.data,
                                        da.inhibitor_output_scale.data};
    multi_head_attention_backward<T>(dq, dk, dv, dscalars, dout, q, k, v, shape, mask,
                                     detail::mechanism_of(p.attention, s), workspace, workers);
  } else {
    multi_head_attention_backward<T>(dq, dk, dv, dout, q, k, v, shape, mask, dot_product_attention<T>{}, workspace,
                                     workers);
  }
  const auto project = [&](linear_tensors<T>& dl, const linear_tensors<T>& l, const aligned_buffer<T>& dy) {
    linear_backward_parameters(dl.weight.data, dl.bias.data, dy.data(), x, rows, s.dim, s.dim, workers);
    if (dx != nullptr) linear_backward_input(dx, dy.data(), l.weight.data, rows, s.dim, s.dim, workers);
  };
  project(da.q_lin, p.attention.q_lin, scratch.dq);
  project(da.k_lin, p.attention.k_lin, scratch.dk);
  project(da.v_lin, p.attention.v_lin, scratch.dv);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
