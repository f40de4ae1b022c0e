// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "inhibitor/models/bert/model.hpp"

// The encoder of DistilBERT (Sanh et al. 2019, arXiv 1910.01108) and BERT (Devlin et al. 2019, arXiv 1810.04805),
// forward and its mirror, backward. M = batch * length rows; hidden[0] is the embedding output, hidden[l + 1] the
// output of layer l.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The shape of a layer for one batch.
inline block_shape encoder_block_shape(const encoder_config& c, const token_view& tokens, bool is_training) {
  block_shape s;
  s.batch = tokens.batch;
  s.length = tokens.length;
  s.dim = c.dim;
  s.heads = c.n_heads;
  s.intermediate = c.intermediate_dim;
  s.options = c;
  s.dropout = is_training ? c.dropout : 0;
  s.attention_output_dropout = is_training && c.drops_attention_output ? c.dropout : 0;
  s.layer_norm_epsilon = c.layer_norm_epsilon;
  return s;
}

/// Everything the forward pass computes and the backward pass needs. Reused from batch to batch; grows, never shrinks.
template <class T>
struct encoder_activations {
  embeddings_activations<T> embedding;
  std::vector<aligned_buffer<T>> hidden;               // n_layers + 1 of (M, C)
  std::vector<block_activations<T>> block;             // n_layers
  std::vector<aligned_buffer<std::uint8_t>> attended;  // n_layers of (B, L): key mask after key dropout
  attention_workspace workspace;

  void resize(const encoder_config& c, const token_view& tokens) {
    const block_shape s = encoder_block_shape(c, tokens, false);
    embedding.resize(s.rows(), s.dim);
    hidden.resize(static_cast<std::size_t>(c.n_layers + 1));
    block.resize(static_cast<std::size_t>(c.n_layers));
    attended.resize(static_cast<std::size_t>(c.n_layers));
    for (auto& b : hidden) b.resize(s.rows() * s.dim);
    for (auto& b : block) b.resize(s);
    for (auto& b : attended) b.resize(s.rows());
  }
};

/// Gradients of activations. A loss adds its gradient to `hidden` or `context`, wherever it looks at the model, after
/// `reset` and before encoder_backward.
template <class T>
struct encoder_activation_gradients {
  std::vector<aligned_buffer<T>> hidden;   // n_layers + 1 of (M, C)
  std::vector<aligned_buffer<T>> context;  // n_layers of (M, C)
  aligned_buffer<T> embedding_sum;         // (M, C)
  block_gradients<T> scratch;

  /// Sizes every buffer for the batch and sets the gradients to zero.
  void reset(const encoder_config& c, const token_view& tokens) {
    const block_shape s = encoder_block_shape(c, tokens, false);
    hidden.resize(static_cast<std::size_t>(c.n_layers + 1));
    context.resize(static_cast<std::size_t>(c.n_layers));
    for (auto* group : {&hidden, &context}) {
      for (auto& b : *group) {
        b.resize(s.rows() * s.dim);
        b.fill_zero();
      }
    }
    embedding_sum.resize(s.rows() * s.dim);
    scratch.resize(s);
  }
};

/// The streams of one layer's second half.
inline block_dropout_streams layer_dropout_streams(const dropout_mode& mode, index_t layer) {
  return {mode.stream.at(dropout_sites::attention_output(layer)), mode.stream.at(dropout_sites::feed_forward(layer))};
}

/// Fills activations.hidden[0] from the ids. Throws std::invalid_argument for ids or lengths out of range.
template <class T>
void embeddings_forward(encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                        const dropout_mode& mode, const executor& workers) {
  check_tokens(tokens, p.config());
  a.resize(p.config(), tokens);
  p.embeddings.forward(a.hidden[0].data(), a.embedding, tokens, p.config(), mode, workers);
}

/// First half of layer `layer`: attention context from hidden[layer], which must be filled.
template <class T>
void layer_context_forward(encoder_activations<T>& a, index_t layer, const token_view& tokens,
                           const encoder_tensors<T>& p, const dropout_mode& mode, const executor& workers) {
  const auto l = static_cast<std::size_t>(layer);
  const block_shape s = encoder_block_shape(p.config(), tokens, mode.enabled);
  std::copy(tokens.key_mask, tokens.key_mask + tokens.rows(), a.attended[l].data());
  if (mode.enabled) {
    dropout_keys(a.attended[l].data(), tokens.rows(), p.config().attention_dropout,
                 mode.stream.at(dropout_sites::keys(layer)));
  }
  p.layer[l].context_forward(a.block[l], a.hidden[l].data(), a.attended[l].data(), s, a.workspace, workers);
}

/// Layers [0, layers) from hidden[0]. A caller that has embeddings of its own resizes the activations, fills hidden[0]
/// and starts here; tokens.ids is not read.
template <class T>
void layers_forward(encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                    const dropout_mode& mode, const executor& workers, index_t layers) {
  const block_shape s = encoder_block_shape(p.config(), tokens, mode.enabled);
  for (index_t i = 0; i < layers; ++i) {
    const auto l = static_cast<std::size_t>(i);
    layer_context_forward(a, i, tokens, p, mode, workers);
    p.layer[l].output_forward(a.hidden[l + 1].data(), a.block[l], a.hidden[l].data(), s, layer_dropout_streams(mode, i),
                              workers);
  }
}

/// The whole encoder: hidden[0 .. n_layers] and every block's activations. Throws as embeddings_forward; allocates only
/// while the activations grow.
template <class T>
void encoder_forward(encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                     const dropout_mode& mode, const executor& workers) {
  embeddings_forward(a, tokens, p, mode, workers);
  layers_forward(a, tokens, p, mode, workers, p.config().n_layers);
}

/// Layers [0, layer) and the context of `layer`: what the layer-wise stage of distillation compares.
template <class T>
void encoder_forward_to_context(encoder_activations<T>& a, index_t layer, const token_view& tokens,
                                const encoder_tensors<T>& p, const dropout_mode& mode, const executor& workers) {
  embeddings_forward(a, tokens, p, mode, workers);
  layers_forward(a, tokens, p, mode, workers, layer);
  layer_context_forward(a, layer, tokens, p, mode, workers);
}

/// Mirror of layer_context_forward for one layer alone: adds to the gradients of its mixer, all but the output
/// projection's, from da.context[layer]; the gradient stops there.
template <class T>
void layer_context_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, index_t layer,
                            encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                            const dropout_mode& mode, const executor& workers) {
  const auto l = static_cast<std::size_t>(layer);
  const block_shape s = encoder_block_shape(p.config(), tokens, mode.enabled);
  p.layer[l].context_backward(nullptr, dp.layer[l], da.context[l].data(), a.block[l], a.hidden[l].data(),
                              a.attended[l].data(), s, da.scratch, a.workspace, workers);
}

/// Mirror of encoder_forward: adds to `dp` from da.hidden and da.context, which losses and heads have filled. Walks the
/// layers downwards; da.hidden[l] and da.context[l] end up as the complete gradients of those activations, da.hidden[0]
/// as that of what dropout on the embeddings was given.
template <class T>
void encoder_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, encoder_activations<T>& a,
                      const token_view& tokens, const encoder_tensors<T>& p, const dropout_mode& mode,
                      const executor& workers) {
  const block_shape s = encoder_block_shape(p.config(), tokens, mode.enabled);
  for (index_t i = p.config().n_layers; i-- > 0;) {
    const auto l = static_cast<std::size_t>(i);
    // output_forward(hidden[l + 1], hidden[l], context)
    p.layer[l].output_backward(da.hidden[l].data(), da.context[l].data(), dp.layer[l], da.hidden[l + 1].data(),
                               a.block[l], s, layer_dropout_streams(mode, i), da.scratch, workers);
    // context_forward(context, hidden[l])
    p.layer[l].context_backward(da.hidden[l].data(), dp.layer[l], da.context[l].data(), a.block[l], a.hidden[l].data(),
                                a.attended[l].data(), s, da.scratch, a.workspace, workers);
  }
  // embeddings.forward(hidden[0])
  p.embeddings.backward(dp.embeddings, da.hidden[0].data(), da.embedding_sum.data(), a.embedding, tokens, p.config(),
                        mode, workers);
}

/// Index of the first hidden state that holds a value that is not finite (0: embeddings, l + 1: layer l), or -1.
template <class T>
index_t first_non_finite_hidden(const encoder_activations<T>& a) {
  for (std::size_t l = 0; l < a.hidden.size(); ++l) {
    if (!std::all_of(a.hidden[l].begin(), a.hidden[l].end(), [](T x) { return std::isfinite(x); })) {
      return static_cast<index_t>(l);
    }
  }
  return -1;
}

/// True when layer `layer` is an inhibitor layer whose context was 0 everywhere in the last forward pass: all values
/// are inhibited, so no gradient reaches its q, k, v and it cannot learn.
template <class T>
bool fully_inhibited(const encoder_activations<T>& a, const encoder_config& c, index_t layer) {
  const auto& context = a.block[static_cast<std::size_t>(layer)].mixing.context;
  return c.layer_attention(layer) == inhibitor_mixer<T>::name &&
         std::all_of(context.begin(), context.end(), [](T x) { return x == T(0); });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
