// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/feed_forward.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/mixer.hpp"

// What blocks are made of: a mixer or a feed-forward network, each with its residual connection, dropout and layer
// normalization. Norms follow the sums (post, arXiv 1706.03762) or precede what is added (pre, arXiv 2002.04745):
//
//                  post                                          pre
//   attention:     context = mix(x)                              context = mix(LayerNorm(x))
//                  y = LayerNorm(x + dropout(out_lin(context)))  y = x + dropout(out_lin(context))
//   feed-forward:  y = LayerNorm(x + dropout(ffn(x)))            y = x + dropout(ffn(LayerNorm(x)))
//
// M = batch * length rows of x. The memory of a mixer is not normalized here.

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
  activation between = activation::gelu;  ///< inside the feed-forward network

  index_t rows() const { return batch * length; }
  mixer_shape mixing() const { return {batch, length, length, dim, heads}; }
  mixer_shape mixing_with(index_t memory_length) const { return {batch, length, memory_length, dim, heads}; }
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

/// y (M, C) = LayerNorm(x (M, C)). Overwrites y. Does not throw.
template <class T>
void normalize(T* y, norm_activations<T>& saved, const T* x, const norm_tensors<T>& p, const block_shape& s,
               const executor& workers) {
  layer_norm_forward(y, saved.mean.data(), saved.rstd.data(), x, p.weight.data, p.bias.data, s.rows(), s.dim,
                     static_cast<T>(s.layer_norm_epsilon), workers);
}

/// Mirror of normalize: adds to dx (M, C) and to the gradients `d` from dy (M, C). Does not throw.
template <class T>
void normalize_backward(T* dx, norm_tensors<T>& d, const T* dy, const T* x, const norm_activations<T>& saved,
                        const norm_tensors<T>& p, const block_shape& s, const executor& workers) {
  layer_norm_backward(dx, d.weight.data, d.bias.data, dy, x, saved.mean.data(), saved.rstd.data(), p.weight.data,
                      s.rows(), s.dim, workers);
}

/// Scratch of the backward passes of sublayers, shared by all of a model.
template <class T>
struct sublayer_gradients {
  mixer_scratch<T> mixing;
  feed_forward_activations<T> ffn;  // (M, F)
  aligned_buffer<T> dsum, dnormed;  // (M, C)

  void resize(const block_shape& s) {
    dsum.resize(s.rows() * s.dim);
    if (s.norm == norm_placement::pre) dnormed.resize(s.rows() * s.dim);
    ffn.resize(s.rows(), s.intermediate);
  }
};

/// What the forward pass of an attention sublayer keeps.
template <class T>
struct attention_activations {
  mixer_activations<T> mixing;
  norm_activations<T> sa_norm;  // (M)
  aligned_buffer<T> sa_sum;     // (M, C) input of a norm after the sum
  aligned_buffer<T> normed;     // (M, C) input of the mixer, with a norm before it

  void resize(const block_shape& s) {
    const index_t size = s.rows() * s.dim;
    mixing.context.resize(size);
    (s.norm == norm_placement::pre ? normed : sa_sum).resize(size);
    sa_norm.resize(s.rows());
  }
};

/// A mixer with its normalization, in two halves because the distillation's layer-wise stage needs the first alone:
/// tensors, or their gradients.
template <class T>
struct attention_sublayer {
  mixer<T> attention;
  norm_tensors<T> sa_layer_norm;

  attention_sublayer() = default;
  /// Throws std::invalid_argument for the name of no mixer.
  attention_sublayer(const std::string& mixer_name, index_t dim, index_t heads, const mixer_options& options)
      : attention(mixer_name, dim, heads, options), sa_layer_norm(dim) {}

  /// First half: fills saved.mixing from x (M, C) and the memory, null for x itself. Does not throw; allocates only
  /// while buffers grow.
  void context_forward(attention_activations<T>& saved, const T* x, const T* memory, const attention_mask& mask,
                       const block_shape& s, const mixer_shape& mixing, attention_workspace& workspace,
                       const executor& workers) const {
    if (s.norm == norm_placement::pre) normalize(saved.normed.data(), saved.sa_norm, x, sa_layer_norm, s, workers);
    attention.forward(saved.mixing, mixed(saved, x, memory, mask, s), mixing, s.options, workspace, workers);
  }

  /// Second half: y (M, C) from x (M, C) and the context. Does not throw.
  void output_forward(T* y, attention_activations<T>& saved, const T* x, const block_shape& s,
                      const random_stream& stream, const executor& workers) const {
    const index_t rows = s.rows(), size = rows * s.dim;
    const bool is_pre = s.norm == norm_placement::pre;
    const linear_tensors<T>& out = attention.out_lin();
    T* sum = is_pre ? y : saved.sa_sum.data();
    linear_forward(sum, saved.mixing.context.data(), out.weight.data, out.bias.data, rows, s.dim, s.dim, workers);
    dropout(sum, size, s.attention_output_dropout, stream, workers);
    add_to(sum, x, size, workers);
    if (!is_pre) normalize(y, saved.sa_norm, sum, sa_layer_norm, s, workers);
  }

  /// Mirror of output_forward: adds to dx (M, C), to dcontext (M, C) and to the gradients `d` of out_lin and a norm
  /// after the sum, from dy (M, C). Does not throw.
  void output_backward(T* dx, T* dcontext, attention_sublayer& d, const T* dy, const attention_activations<T>& saved,
                       const block_shape& s, const random_stream& stream, sublayer_gradients<T>& scratch,
                       const executor& workers) const {
    const index_t rows = s.rows(), size = rows * s.dim;
    T* dsum = scratch.dsum.data();
    if (s.norm == norm_placement::pre) {
      // y = x + dropout(out_lin(context))
      std::copy(dy, dy + size, dsum);
    } else {
      // y = LayerNorm(sa_sum), sa_sum = x + dropout(out_lin(context)): the gradient of sa_sum is that of both terms.
      scratch.dsum.fill_zero();
      normalize_backward(dsum, d.sa_layer_norm, dy, saved.sa_sum.data(), saved.sa_norm, sa_layer_norm, s, workers);
    }
    add_to(dx, dsum, size, workers);
    dropout(dsum, size, s.attention_output_dropout, stream, workers);
    const linear_tensors<T>& out = attention.out_lin();
    linear_tensors<T>& dout = d.attention.out_lin();
    linear_backward(dcontext, dout.weight.data, dout.bias.data, dsum, saved.mixing.context.data(), out.weight.data,
                    rows, s.dim, s.dim, workers);
  }

  /// Mirror of context_forward: adds to dx (M, C), to dmemory where there is a memory, and to the gradients `d` of the
  /// mixer and the norm before it, from dcontext (M, C). With dx null the gradient stops at the mixer. Does not throw;
  /// allocates only while buffers grow.
  void context_backward(T* dx, T* dmemory, attention_sublayer& d, const T* dcontext,
                        const attention_activations<T>& saved, const T* x, const T* memory, const attention_mask& mask,
                        const block_shape& s, const mixer_shape& mixing, sublayer_gradients<T>& scratch,
                        attention_workspace& workspace, const executor& workers) const {
    const bool goes_on_to_norm = dx != nullptr && s.norm == norm_placement::pre;
    if (goes_on_to_norm) scratch.dnormed.fill_zero();
    T* dmixed = goes_on_to_norm ? scratch.dnormed.data() : dx;
    // context = mix(x), or mix(LayerNorm(x))
    attention.backward({dmixed, dmemory}, d.attention, dcontext, saved.mixing, mixed(saved, x, memory, mask, s), mixing,
                       s.options, scratch.mixing, workspace, workers);
    if (!goes_on_to_norm) return;
    normalize_backward(dx, d.sa_layer_norm, scratch.dnormed.data(), x, saved.sa_norm, sa_layer_norm, s, workers);
  }

 private:
  static mixer_input<T> mixed(const attention_activations<T>& saved, const T* x, const T* memory,
                              const attention_mask& mask, const block_shape& s) {
    return {s.norm == norm_placement::pre ? saved.normed.data() : x, memory, mask};
  }
};

/// What the forward pass of a feed-forward sublayer keeps.
template <class T>
struct feed_forward_sublayer_activations {
  feed_forward_activations<T> ffn;  // (M, F)
  norm_activations<T> out_norm;     // (M)
  aligned_buffer<T> out_sum;        // (M, C) input of a norm after the sum
  aligned_buffer<T> ffn_normed;     // (M, C) input of the network, with a norm before it

  void resize(const block_shape& s) {
    (s.norm == norm_placement::pre ? ffn_normed : out_sum).resize(s.rows() * s.dim);
    out_norm.resize(s.rows());
    ffn.resize(s.rows(), s.intermediate);
  }
};

/// A feed-forward network with its normalization: tensors, or their gradients.
template <class T>
struct feed_forward_sublayer {
  feed_forward<T> ffn;
  norm_tensors<T> output_layer_norm;

  feed_forward_sublayer() = default;
  feed_forward_sublayer(index_t dim, index_t intermediate) : ffn(dim, intermediate), output_layer_norm(dim) {}

  /// y (M, C) from x (M, C); fills `saved`. Does not throw.
  void network_forward(T* y, feed_forward_sublayer_activations<T>& saved, const T* x, const block_shape& s,
                       const random_stream& stream, const executor& workers) const {
    const index_t rows = s.rows(), size = rows * s.dim;
    const bool is_pre = s.norm == norm_placement::pre;
    if (is_pre) normalize(saved.ffn_normed.data(), saved.out_norm, x, output_layer_norm, s, workers);
    T* sum = is_pre ? y : saved.out_sum.data();
    ffn.forward(sum, saved.ffn, is_pre ? saved.ffn_normed.data() : x, rows, workers, s.between);
    dropout(sum, size, s.dropout, stream, workers);
    add_to(sum, x, size, workers);
    if (!is_pre) normalize(y, saved.out_norm, sum, output_layer_norm, s, workers);
  }

  /// Mirror of network_forward: adds to dx (M, C) and to the gradients `d` from dy (M, C). Does not throw.
  void network_backward(T* dx, feed_forward_sublayer& d, const T* dy, const feed_forward_sublayer_activations<T>& saved,
                        const T* x, const block_shape& s, const random_stream& stream, sublayer_gradients<T>& scratch,
                        const executor& workers) const {
    const index_t rows = s.rows(), size = rows * s.dim;
    T* dsum = scratch.dsum.data();
    if (s.norm == norm_placement::pre) {
      // y = x + dropout(ffn(normed))
      add_to(dx, dy, size, workers);
      std::copy(dy, dy + size, dsum);
      dropout(dsum, size, s.dropout, stream, workers);
      scratch.dnormed.fill_zero();
      ffn.backward(scratch.dnormed.data(), d.ffn, dsum, saved.ffn, saved.ffn_normed.data(), rows, scratch.ffn, workers,
                   s.between);
      // normed = LayerNorm(x)
      normalize_backward(dx, d.output_layer_norm, scratch.dnormed.data(), x, saved.out_norm, output_layer_norm, s,
                         workers);
    } else {
      // y = LayerNorm(out_sum), out_sum = x + dropout(ffn(x)): the gradient of out_sum is that of both terms.
      scratch.dsum.fill_zero();
      normalize_backward(dsum, d.output_layer_norm, dy, saved.out_sum.data(), saved.out_norm, output_layer_norm, s,
                         workers);
      add_to(dx, dsum, size, workers);
      dropout(dsum, size, s.dropout, stream, workers);
      ffn.backward(dx, d.ffn, dsum, saved.ffn, x, rows, scratch.ffn, workers, s.between);
    }
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
