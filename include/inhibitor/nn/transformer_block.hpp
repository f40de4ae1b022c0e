// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "inhibitor/nn/sublayers.hpp"

// One transformer block (BERT, arXiv 1810.04805; DistilBERT, arXiv 1910.01108; the encoder of arXiv 1706.03762), in two
// halves because the distillation's layer-wise stage needs the first alone:
//
//   context_forward   context = mixer of the attention sublayer (nn/sublayers.hpp)
//   output_forward    h = output of the attention sublayer;  y = feed-forward sublayer of h
//
// M = batch * length rows everywhere.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the forward pass of a block keeps for its backward pass.
template <class T>
struct block_activations : attention_activations<T>, feed_forward_sublayer_activations<T> {
  aligned_buffer<T> h;  // (M, C) between the sublayers

  void resize(const block_shape& s) {
    attention_activations<T>::resize(s);
    feed_forward_sublayer_activations<T>::resize(s);
    h.resize(s.rows() * s.dim);
  }
};

/// Scratch of the backward pass, shared by all blocks of a model.
template <class T>
struct block_gradients : sublayer_gradients<T> {
  aligned_buffer<T> dh;  // (M, C)

  void resize(const block_shape& s) {
    sublayer_gradients<T>::resize(s);
    dh.resize(s.rows() * s.dim);
  }
};

/// Decisions of the two dropouts of a block's second half.
struct block_dropout_streams {
  random_stream attention_output, ffn;
};

/// The tensors of a block, or their gradients.
template <class T>
struct transformer_block : attention_sublayer<T>, feed_forward_sublayer<T> {
  transformer_block() = default;
  /// Throws std::invalid_argument for the name of no mixer.
  transformer_block(const std::string& mixer_name, index_t dim, index_t heads, index_t intermediate,
                    const mixer_options& options)
      : attention_sublayer<T>(mixer_name, dim, heads, options), feed_forward_sublayer<T>(dim, intermediate) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    this->attention.visit(prefix + ".attention", f);
    this->sa_layer_norm.visit(prefix + ".sa_layer_norm", f);
    this->ffn.visit(prefix + ".ffn", f);
    this->output_layer_norm.visit(prefix + ".output_layer_norm", f);
  }

  /// First half: fills saved.mixing from x (M, C). `key_mask` (B, L), 1 = attend. Does not throw; allocates only while
  /// buffers grow.
  void context_forward(block_activations<T>& saved, const T* x, const std::uint8_t* key_mask, const block_shape& s,
                       attention_workspace& workspace, const executor& workers) const {
    attention_sublayer<T>::context_forward(saved, x, nullptr, {key_mask, false}, s, s.mixing(), workspace, workers);
  }

  /// Second half: y (M, C) from x (M, C) and the context; fills the rest of `saved`. Does not throw.
  void output_forward(T* y, block_activations<T>& saved, const T* x, const block_shape& s,
                      const block_dropout_streams& streams, const executor& workers) const {
    attention_sublayer<T>::output_forward(saved.h.data(), saved, x, s, streams.attention_output, workers);
    this->network_forward(y, saved, saved.h.data(), s, streams.ffn, workers);
  }

  /// Mirror of output_forward: adds to dx (M, C), to dcontext (M, C) and to the gradients `d` of out_lin, ffn and the
  /// norms of this half, from dy (M, C). Does not throw.
  void output_backward(T* dx, T* dcontext, transformer_block& d, const T* dy, const block_activations<T>& saved,
                       const block_shape& s, const block_dropout_streams& streams, block_gradients<T>& scratch,
                       const executor& workers) const {
    // network_forward(y, h)
    scratch.dh.fill_zero();
    this->network_backward(scratch.dh.data(), d, dy, saved, saved.h.data(), s, streams.ffn, scratch, workers);
    // output_forward(h, x, context)
    attention_sublayer<T>::output_backward(dx, dcontext, d, scratch.dh.data(), saved, s, streams.attention_output,
                                           scratch, workers);
  }

  /// Mirror of context_forward: adds to dx (M, C) and to the gradients `d` of the mixer and the norm before it, from
  /// dcontext (M, C). With dx null the gradient stops at the mixer. Does not throw; allocates only while buffers grow.
  void context_backward(T* dx, transformer_block& d, const T* dcontext, const block_activations<T>& saved, const T* x,
                        const std::uint8_t* key_mask, const block_shape& s, block_gradients<T>& scratch,
                        attention_workspace& workspace, const executor& workers) const {
    attention_sublayer<T>::context_backward(dx, nullptr, d, dcontext, saved, x, nullptr, {key_mask, false}, s,
                                            s.mixing(), scratch, workspace, workers);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
