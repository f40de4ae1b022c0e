// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/feed_forward.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/mixer.hpp"

// One transformer block (BERT, arXiv 1810.04805; DistilBERT, arXiv 1910.01108), in two halves because the
// distillation's layer-wise stage needs the first alone. Norms follow the sums (post) or precede what is added (pre,
// arXiv 2002.04745):
//
//            post                                        pre
//   context: context = mix(x)                            context = mix(LayerNorm(x))
//   output:  h = LayerNorm(x + dropout(out_lin(context)))  h = x + dropout(out_lin(context))
//            y = LayerNorm(h + dropout(ffn(h)))            y = h + dropout(ffn(LayerNorm(h)))
//
// M = batch * length rows everywhere.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Where a block has its layer normalizations.
enum class norm_placement { post, pre };

/// Extents and options of a block for one batch.
struct block_shape {
  index_t batch = 0, length = 0;  // B, L
  index_t dim = 0, heads = 0;     // C, H
  index_t intermediate = 0;       // F
  mixer_options options;
  norm_placement norm = norm_placement::post;
  double dropout = 0;                   ///< on the feed-forward output; 0 outside training
  double attention_output_dropout = 0;  ///< on the output of out_lin
  double layer_norm_epsilon = 1e-12;

  index_t rows() const { return batch * length; }
  mixer_shape mixing() const { return {batch, length, length, dim, heads}; }
};

/// What a layer normalization inside a block keeps.
template <class T>
struct norm_activations {
  aligned_buffer<T> mean, rstd;  // (M) each

  void resize(index_t rows) {
    mean.resize(rows);
    rstd.resize(rows);
  }
};

/// What the forward pass of a block keeps for its backward pass.
template <class T>
struct block_activations {
  mixer_activations<T> mixing;
  feed_forward_activations<T> ffn;        // (M, F)
  norm_activations<T> sa_norm, out_norm;  // (M)
  aligned_buffer<T> sa_sum, out_sum;      // (M, C) the two sums; with norms after them, their inputs
  aligned_buffer<T> normed;               // (M, C) input of the mixer, with norms before it
  aligned_buffer<T> h;  // (M, C) input of the feed-forward network, and after sa_layer_norm either way

  void resize(const block_shape& s) {
    const index_t size = s.rows() * s.dim;
    mixing.context.resize(size);
    for (auto* b : {&sa_sum, &out_sum, &h}) b->resize(size);
    if (s.norm == norm_placement::pre) normed.resize(size);
    sa_norm.resize(s.rows());
    out_norm.resize(s.rows());
    ffn.resize(s.rows(), s.intermediate);
  }
};

/// Scratch of the backward pass, shared by all blocks of a model.
template <class T>
struct block_gradients {
  mixer_scratch<T> mixing;
  feed_forward_activations<T> ffn;      // (M, F)
  aligned_buffer<T> dsum, dh, dnormed;  // (M, C)

  void resize(const block_shape& s) {
    for (auto* b : {&dsum, &dh}) b->resize(s.rows() * s.dim);
    if (s.norm == norm_placement::pre) dnormed.resize(s.rows() * s.dim);
    ffn.resize(s.rows(), s.intermediate);
  }
};

/// Decisions of the two dropouts of a block's second half.
struct block_dropout_streams {
  random_stream attention_output, ffn;
};

/// The tensors of a block, or their gradients.
template <class T>
struct transformer_block {
  mixer<T> attention;
  norm_tensors<T> sa_layer_norm;
  feed_forward<T> ffn;
  norm_tensors<T> output_layer_norm;

  transformer_block() = default;
  /// Throws std::invalid_argument for the name of no mixer.
  transformer_block(const std::string& mixer_name, index_t dim, index_t heads, index_t intermediate,
                    const mixer_options& options)
      : attention(mixer_name, dim, heads, options),
        sa_layer_norm(dim),
        ffn(dim, intermediate),
        output_layer_norm(dim) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    attention.visit(prefix + ".attention", f);
    sa_layer_norm.visit(prefix + ".sa_layer_norm", f);
    ffn.visit(prefix + ".ffn", f);
    output_layer_norm.visit(prefix + ".output_layer_norm", f);
  }

  /// First half: fills saved.mixing from x (M, C). `key_mask` (B, L), 1 = attend. Does not throw; allocates only while
  /// buffers grow.
  void context_forward(block_activations<T>& saved, const T* x, const std::uint8_t* key_mask, const block_shape& s,
                       attention_workspace& workspace, const executor& workers) const {
    if (s.norm == norm_placement::pre) normalize(saved.normed.data(), saved.sa_norm, x, sa_layer_norm, s, workers);
    attention.forward(saved.mixing, mixed(saved, x, key_mask, s), s.mixing(), s.options, workspace, workers);
  }

  /// Second half: y (M, C) from x (M, C) and the context; fills the rest of `saved`. Does not throw.
  void output_forward(T* y, block_activations<T>& saved, const T* x, const block_shape& s,
                      const block_dropout_streams& streams, const executor& workers) const {
    const index_t rows = s.rows(), size = rows * s.dim;
    const bool is_pre = s.norm == norm_placement::pre;
    const linear_tensors<T>& out = attention.out_lin();
    linear_forward(saved.sa_sum.data(), saved.mixing.context.data(), out.weight.data, out.bias.data, rows, s.dim, s.dim,
                   workers);
    dropout(saved.sa_sum.data(), size, s.attention_output_dropout, streams.attention_output, workers);
    add_to(saved.sa_sum.data(), x, size, workers);
    if (is_pre) {
      normalize(saved.h.data(), saved.out_norm, saved.sa_sum.data(), output_layer_norm, s, workers);
    } else {
      normalize(saved.h.data(), saved.sa_norm, saved.sa_sum.data(), sa_layer_norm, s, workers);
    }

    T* sum = is_pre ? y : saved.out_sum.data();
    ffn.forward(sum, saved.ffn, saved.h.data(), rows, workers);
    dropout(sum, size, s.dropout, streams.ffn, workers);
    add_to(sum, is_pre ? saved.sa_sum.data() : saved.h.data(), size, workers);
    if (!is_pre) normalize(y, saved.out_norm, sum, output_layer_norm, s, workers);
  }

  /// Mirror of output_forward: adds to dx (M, C), to dcontext (M, C) and to the gradients `d` of out_lin, ffn and the
  /// norms of this half, from dy (M, C). Does not throw.
  void output_backward(T* dx, T* dcontext, transformer_block& d, const T* dy, const block_activations<T>& saved,
                       const block_shape& s, const block_dropout_streams& streams, block_gradients<T>& scratch,
                       const executor& workers) const {
    const index_t rows = s.rows(), size = rows * s.dim;
    T* dsum = scratch.dsum.data();
    T* dh = scratch.dh.data();
    if (s.norm == norm_placement::pre) {
      // y = sa_sum + dropout(ffn(h))
      std::copy(dy, dy + size, dsum);
      dropout(dsum, size, s.dropout, streams.ffn, workers);
      scratch.dh.fill_zero();
      ffn.backward(dh, d.ffn, dsum, saved.ffn, saved.h.data(), rows, scratch.ffn, workers);
      // h = LayerNorm(sa_sum)
      std::copy(dy, dy + size, dsum);
      normalize_backward(dsum, d.output_layer_norm, dh, saved.sa_sum.data(), saved.out_norm, output_layer_norm, s,
                         workers);
    } else {
      // y = LayerNorm(out_sum), out_sum = h + dropout(ffn(h)): the gradient of out_sum is that of both terms.
      scratch.dsum.fill_zero();
      normalize_backward(dsum, d.output_layer_norm, dy, saved.out_sum.data(), saved.out_norm, output_layer_norm, s,
                         workers);
      std::copy(dsum, dsum + size, dh);
      dropout(dsum, size, s.dropout, streams.ffn, workers);
      ffn.backward(dh, d.ffn, dsum, saved.ffn, saved.h.data(), rows, scratch.ffn, workers);
      // h = LayerNorm(sa_sum)
      scratch.dsum.fill_zero();
      normalize_backward(dsum, d.sa_layer_norm, dh, saved.sa_sum.data(), saved.sa_norm, sa_layer_norm, s, workers);
    }
    // sa_sum = x + dropout(out_lin(context))
    add_to(dx, dsum, size, workers);
    dropout(dsum, size, s.attention_output_dropout, streams.attention_output, workers);
    const linear_tensors<T>& out = attention.out_lin();
    linear_tensors<T>& dout = d.attention.out_lin();
    linear_backward(dcontext, dout.weight.data, dout.bias.data, dsum, saved.mixing.context.data(), out.weight.data,
                    rows, s.dim, s.dim, workers);
  }

  /// Mirror of context_forward: adds to dx (M, C) and to the gradients `d` of the mixer and the norm before it, from
  /// dcontext (M, C). With dx null the gradient stops at the mixer. Does not throw; allocates only while buffers grow.
  void context_backward(T* dx, transformer_block& d, const T* dcontext, const block_activations<T>& saved, const T* x,
                        const std::uint8_t* key_mask, const block_shape& s, block_gradients<T>& scratch,
                        attention_workspace& workspace, const executor& workers) const {
    const bool goes_on_to_norm = dx != nullptr && s.norm == norm_placement::pre;
    if (goes_on_to_norm) scratch.dnormed.fill_zero();
    T* dmixed = goes_on_to_norm ? scratch.dnormed.data() : dx;
    // context = mix(x), or mix(LayerNorm(x))
    attention.backward({dmixed}, d.attention, dcontext, saved.mixing, mixed(saved, x, key_mask, s), s.mixing(),
                       s.options, scratch.mixing, workspace, workers);
    if (!goes_on_to_norm) return;
    normalize_backward(dx, d.sa_layer_norm, scratch.dnormed.data(), x, saved.sa_norm, sa_layer_norm, s, workers);
  }

 private:
  static mixer_input<T> mixed(const block_activations<T>& saved, const T* x, const std::uint8_t* key_mask,
                              const block_shape& s) {
    return {s.norm == norm_placement::pre ? saved.normed.data() : x, nullptr, attention_mask{key_mask, false}};
  }
  static void normalize(T* y, norm_activations<T>& saved, const T* x, const norm_tensors<T>& p, const block_shape& s,
                        const executor& workers) {
    layer_norm_forward(y, saved.mean.data(), saved.rstd.data(), x, p.weight.data, p.bias.data, s.rows(), s.dim,
                       static_cast<T>(s.layer_norm_epsilon), workers);
  }
  static void normalize_backward(T* dx, norm_tensors<T>& d, const T* dy, const T* x, const norm_activations<T>& saved,
                                 const norm_tensors<T>& p, const block_shape& s, const executor& workers) {
    layer_norm_backward(dx, d.weight.data, d.bias.data, dy, x, saved.mean.data(), saved.rstd.data(), p.weight.data,
                        s.rows(), s.dim, workers);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
