// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "inhibitor/nn/sublayers.hpp"

// One decoder block of an encoder-decoder (Vaswani et al. 2017, arXiv 1706.03762 section 3.1), three sublayers
// (nn/sublayers.hpp):
//
//   h1 = attention of x to its own past;  h2 = attention of h1 to the memory;  y = feed-forward network of h2
//
// M = batch * length rows of x, batch * memory_length rows of the memory, which is what the encoder gives.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the decoder attends to beside its input.
template <class T>
struct decoder_memory {
  const T* rows = nullptr;                      ///< (B * S, C)
  index_t length = 0;                           ///< S
  const std::uint8_t* key_mask = nullptr;       ///< (B, S) of the memory, 1 = attend
  const std::uint8_t* self_key_mask = nullptr;  ///< (B, L) of the input; its future is hidden as well
};

/// What the forward pass of a decoder block keeps for its backward pass.
template <class T>
struct decoder_block_activations {
  attention_activations<T> self, cross;
  feed_forward_sublayer_activations<T> network;
  aligned_buffer<T> h1, h2;  // (M, C) between the sublayers

  void resize(const block_shape& s) {
    self.resize(s);
    cross.resize(s);
    network.resize(s);
    h1.resize(s.rows() * s.dim);
    h2.resize(s.rows() * s.dim);
  }
};

/// Scratch of the backward pass, shared by all decoder blocks of a model.
template <class T>
struct decoder_block_gradients : sublayer_gradients<T> {
  aligned_buffer<T> dh1, dh2, dcontext;  // (M, C)

  void resize(const block_shape& s) {
    sublayer_gradients<T>::resize(s);
    for (auto* b : {&dh1, &dh2, &dcontext}) b->resize(s.rows() * s.dim);
  }
};

/// Decisions of a decoder block's dropouts.
struct decoder_dropout_streams {
  random_stream self_output, cross_output, network;
};

/// The tensors of a decoder block, or their gradients.
template <class T>
struct decoder_block {
  attention_sublayer<T> self, cross;
  feed_forward_sublayer<T> network;

  decoder_block() = default;
  /// Throws std::invalid_argument for the name of no mixer.
  decoder_block(const std::string& self_mixer, const std::string& cross_mixer, index_t dim, index_t heads,
                index_t intermediate, const mixer_options& options)
      : self(self_mixer, dim, heads, options), cross(cross_mixer, dim, heads, options), network(dim, intermediate) {}
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    self.attention.visit(prefix + ".attention", f);
    self.sa_layer_norm.visit(prefix + ".sa_layer_norm", f);
    cross.attention.visit(prefix + ".cross_attention", f);
    cross.sa_layer_norm.visit(prefix + ".cross_layer_norm", f);
    network.ffn.visit(prefix + ".ffn", f);
    network.output_layer_norm.visit(prefix + ".output_layer_norm", f);
  }

  /// y (M, C) from x (M, C) and the memory; fills `saved`. Does not throw; allocates only while buffers grow.
  void forward(T* y, decoder_block_activations<T>& saved, const T* x, const decoder_memory<T>& memory,
               const block_shape& s, const decoder_dropout_streams& streams, attention_workspace& workspace,
               const executor& workers) const {
    T *h1 = saved.h1.data(), *h2 = saved.h2.data();
    self.context_forward(saved.self, x, nullptr, past_of(memory), s, s.mixing(), workspace, workers);
    self.output_forward(h1, saved.self, x, s, streams.self_output, workers);
    cross.context_forward(saved.cross, h1, memory.rows, all_of(memory), s, s.mixing_with(memory.length), workspace,
                          workers);
    cross.output_forward(h2, saved.cross, h1, s, streams.cross_output, workers);
    network.network_forward(y, saved.network, h2, s, streams.network, workers);
  }

  /// Mirror of forward: adds to dx (M, C), to dmemory (B * S, C) and to the gradients `d` from dy (M, C). Does not
  /// throw; allocates only while buffers grow.
  void backward(T* dx, T* dmemory, decoder_block& d, const T* dy, const decoder_block_activations<T>& saved, const T* x,
                const decoder_memory<T>& memory, const block_shape& s, const decoder_dropout_streams& streams,
                decoder_block_gradients<T>& scratch, attention_workspace& workspace, const executor& workers) const {
    const T *h1 = saved.h1.data(), *h2 = saved.h2.data();
    T *dh1 = scratch.dh1.data(), *dh2 = scratch.dh2.data(), *dcontext = scratch.dcontext.data();
    // network_forward(y, h2)
    scratch.dh2.fill_zero();
    network.network_backward(dh2, d.network, dy, saved.network, h2, s, streams.network, scratch, workers);
    // cross.output_forward(h2, h1, context)
    scratch.dh1.fill_zero();
    scratch.dcontext.fill_zero();
    cross.output_backward(dh1, dcontext, d.cross, dh2, saved.cross, s, streams.cross_output, scratch, workers);
    // cross.context_forward(context, h1, memory)
    cross.context_backward(dh1, dmemory, d.cross, dcontext, saved.cross, h1, memory.rows, all_of(memory), s,
                           s.mixing_with(memory.length), scratch, workspace, workers);
    // self.output_forward(h1, x, context)
    scratch.dcontext.fill_zero();
    self.output_backward(dx, dcontext, d.self, dh1, saved.self, s, streams.self_output, scratch, workers);
    // self.context_forward(context, x)
    self.context_backward(dx, nullptr, d.self, dcontext, saved.self, x, nullptr, past_of(memory), s, s.mixing(),
                          scratch, workspace, workers);
  }

 private:
  static attention_mask past_of(const decoder_memory<T>& memory) { return {memory.self_key_mask, true}; }
  static attention_mask all_of(const decoder_memory<T>& memory) { return {memory.key_mask, false}; }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
