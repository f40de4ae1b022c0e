// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/models/bert/tensors.hpp"
#include "inhibitor/nn/embedding.hpp"
#include "inhibitor/nn/transformer_block.hpp"

// The encoder of DistilBERT (Sanh et al. 2019, arXiv 1910.01108) and BERT (Devlin et al. 2019, arXiv 1810.04805),
// forward and its mirror, backward. Heads are in encoder_heads.hpp. M = batch * length rows; hidden[0] is the embedding
// output, hidden[l + 1] the output of layer l.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One batch of token ids. Neither array is owned.
struct token_view {
  const std::int32_t* ids = nullptr;       ///< (B, L), padded
  const std::uint8_t* key_mask = nullptr;  ///< (B, L), 1 = real token, 0 = padding
  index_t batch = 0, length = 0;           ///< B, L
  const std::int32_t* type_ids = nullptr;  ///< (B, L) token types, read by models that have them; null: all 0

  index_t rows() const { return batch * length; }
};

/// Whether dropout is on, and which decisions it draws. The backward pass must be given what the forward pass was
/// given.
struct dropout_mode {
  bool enabled = false;
  dropout_stream stream;
};

/// Everything the forward pass computes and the backward pass needs. Reused from batch to batch; grows, never shrinks.
template <class T>
struct encoder_activations {
  aligned_buffer<T> embedding_sum, embedding_mean, embedding_rstd;  // (M, C), (M), (M)
  std::vector<aligned_buffer<T>> hidden;                            // n_layers + 1 of (M, C)
  std::vector<block_activations<T>> block;                          // n_layers
  std::vector<aligned_buffer<std::uint8_t>> attended;               // n_layers of (B, L): key mask after key dropout
  attention_workspace workspace;

  void resize(const encoder_config& c, const block_shape& s) {
    embedding_sum.resize(s.rows() * s.dim);
    embedding_mean.resize(s.rows());
    embedding_rstd.resize(s.rows());
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
  void reset(const encoder_config& c, const token_view& tokens);
};

namespace detail {

inline block_shape shape_of(const encoder_config& c, const token_view& tokens, index_t layer, bool training) {
  block_shape s;
  s.batch = tokens.batch;
  s.length = tokens.length;
  s.dim = c.dim;
  s.heads = c.n_heads;
  s.hidden = c.hidden_dim;
  s.attention = c.layer_attention(layer);
  s.inhibitor = c.inhibitor;
  s.add_only = c.add_only;
  s.dropout = training ? c.dropout : 0;
  s.context_dropout = training && c.family == model_family::bert ? c.dropout : 0;
  s.layer_norm_epsilon = c.layer_norm_epsilon;
  return s;
}

// Dropout sites: one number per place in the model.
constexpr std::uint32_t embedding_site = 0;
constexpr std::uint32_t classifier_site = 1;
constexpr std::uint32_t key_site(index_t layer) { return static_cast<std::uint32_t>(2 + 2 * layer); }
constexpr std::uint32_t ffn_site(index_t layer) { return static_cast<std::uint32_t>(3 + 2 * layer); }
constexpr std::uint32_t context_site(index_t layer) { return static_cast<std::uint32_t>(0x10000 + layer); }

/// The streams of one layer's second half.
inline block_dropout_streams block_streams(const dropout_mode& mode, index_t layer) {
  return {mode.stream.at(context_site(layer)), mode.stream.at(ffn_site(layer))};
}

/// The embedding tables of a model or of its gradients.
template <class T>
embedding_tables<T> tables_of(encoder_tensors<T>& p) {
  return {p.embeddings.word_embeddings.data, p.embeddings.position_embeddings.data,
          p.embeddings.token_type_embeddings.data};
}
template <class T>
embedding_tables<const T> tables_of(const encoder_tensors<T>& p) {
  return {p.embeddings.word_embeddings.data, p.embeddings.position_embeddings.data,
          p.embeddings.token_type_embeddings.data};
}

}  // namespace detail

template <class T>
void encoder_activation_gradients<T>::reset(const encoder_config& c, const token_view& tokens) {
  const block_shape s = detail::shape_of(c, tokens, 0, false);
  hidden.resize(static_cast<std::size_t>(c.n_layers + 1));
  context.resize(static_cast<std::size_t>(c.n_layers));
  for (auto* group : {&hidden, &context}) {
    for (auto& b : *group) {
      b.resize(s.rows() * s.dim);
      b.fill_zero();
    }
  }
  embedding_sum.resize(s.rows() * s.dim);
  embedding_sum.fill_zero();
  scratch.resize(s);
}

/// Throws std::invalid_argument naming the position unless every id is in [0, vocab_size), every token type in
/// [0, type_vocab_size) where the model has types, and the length fits the position table.
inline void check_tokens(const token_view& tokens, const encoder_config& c) {
  check(tokens.length <= c.max_position_embeddings, [&] {
    return "sequence length is " + std::to_string(tokens.length) +
           "; expected at most max_position_embeddings = " + std::to_string(c.max_position_embeddings);
  });
  const auto check_ids = [&](const std::int32_t* ids, index_t end, const char* what, const char* limit) {
    for (index_t i = 0; i < tokens.rows(); ++i) {
      check(ids[i] >= 0 && ids[i] < end, [&] {
        return std::string(what) + " at row " + std::to_string(i / tokens.length) + ", position " +
               std::to_string(i % tokens.length) + " is " + std::to_string(ids[i]) + "; expected 0 <= id < " + limit +
               " = " + std::to_string(end);
      });
    }
  };
  check_ids(tokens.ids, c.vocab_size, "token id", "vocab_size");
  if (c.type_vocab_size > 0 && tokens.type_ids != nullptr) {
    check_ids(tokens.type_ids, c.type_vocab_size, "token type", "type_vocab_size");
  }
}

/// Fills activations.hidden[0] from the ids: LayerNorm(word + position + token type), then dropout. Throws
/// std::invalid_argument for ids or lengths out of range.
template <class T>
void embeddings_forward(encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                        const dropout_mode& mode, const executor& workers) {
  const encoder_config& c = p.config();
  check_tokens(tokens, c);
  a.resize(c, detail::shape_of(c, tokens, 0, mode.enabled));
  embedding_forward<T>(a.embedding_sum.data(), {tokens.ids, tokens.type_ids}, detail::tables_of(p), tokens.batch,
                       tokens.length, c.dim, workers);
  layer_norm_forward(a.hidden[0].data(), a.embedding_mean.data(), a.embedding_rstd.data(), a.embedding_sum.data(),
                     p.embeddings.LayerNorm.weight.data, p.embeddings.LayerNorm.bias.data, tokens.rows(), c.dim,
                     static_cast<T>(c.layer_norm_epsilon), workers);
  if (mode.enabled) {
    dropout(a.hidden[0].data(), tokens.rows() * c.dim, c.dropout, mode.stream.at(detail::embedding_site), workers);
  }
}

/// First half of layer `layer`: attention context from hidden[layer], which must be filled.
template <class T>
void layer_context_forward(encoder_activations<T>& a, index_t layer, const token_view& tokens,
                           const encoder_tensors<T>& p, const dropout_mode& mode, const executor& workers) {
  const auto l = static_cast<std::size_t>(layer);
  const block_shape s = detail::shape_of(p.config(), tokens, layer, mode.enabled);
  std::copy(tokens.key_mask, tokens.key_mask + tokens.rows(), a.attended[l].data());
  if (mode.enabled) {
    dropout_keys(a.attended[l].data(), tokens.rows(), p.config().attention_dropout,
                 mode.stream.at(detail::key_site(layer)));
  }
  block_context_forward(a.block[l], a.hidden[l].data(), a.attended[l].data(), p.layer[l], s, a.workspace, workers);
}

/// Layers [0, n_layers) from hidden[0]. A caller that has embeddings of its own resizes the activations, fills
/// hidden[0] and starts here; tokens.ids is not read.
template <class T>
void layers_forward(encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                    const dropout_mode& mode, const executor& workers, index_t layers) {
  for (index_t i = 0; i < layers; ++i) {
    const auto l = static_cast<std::size_t>(i);
    const block_shape s = detail::shape_of(p.config(), tokens, i, mode.enabled);
    layer_context_forward(a, i, tokens, p, mode, workers);
    block_output_forward(a.hidden[l + 1].data(), a.block[l], a.hidden[l].data(), p.layer[l], s,
                         detail::block_streams(mode, i), workers);
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

/// Mirror of layer_context_forward for one layer alone: adds to the gradients of its q, k, v and scalars from
/// da.context[layer]; the gradient stops there.
template <class T>
void layer_context_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, index_t layer,
                            encoder_activations<T>& a, const token_view& tokens, const encoder_tensors<T>& p,
                            const dropout_mode& mode, const executor& workers) {
  const auto l = static_cast<std::size_t>(layer);
  const block_shape s = detail::shape_of(p.config(), tokens, layer, mode.enabled);
  block_context_backward<T>(nullptr, dp.layer[l], da.context[l].data(), a.block[l], a.hidden[l].data(),
                            a.attended[l].data(), p.layer[l], s, da.scratch, a.workspace, workers);
}

/// Mirror of encoder_forward: adds to `dp` from da.hidden and da.context, which losses and heads have filled. Walks the
/// layers downwards; da.hidden[l] and da.context[l] end up as the complete gradients of those activations.
template <class T>
void encoder_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, encoder_activations<T>& a,
                      const token_view& tokens, const encoder_tensors<T>& p, const dropout_mode& mode,
                      const executor& workers) {
  const encoder_config& c = p.config();
  for (index_t i = c.n_layers; i-- > 0;) {
    const auto l = static_cast<std::size_t>(i);
    const block_shape s = detail::shape_of(c, tokens, i, mode.enabled);
    block_output_backward(da.hidden[l].data(), da.context[l].data(), dp.layer[l], da.hidden[l + 1].data(), a.block[l],
                          p.layer[l], s, detail::block_streams(mode, i), da.scratch, workers);
    block_context_backward(da.hidden[l].data(), dp.layer[l], da.context[l].data(), a.block[l], a.hidden[l].data(),
                           a.attended[l].data(), p.layer[l], s, da.scratch, a.workspace, workers);
  }
  if (mode.enabled) {
    dropout(da.hidden[0].data(), tokens.rows() * c.dim, c.dropout, mode.stream.at(detail::embedding_site), workers);
  }
  layer_norm_backward(da.embedding_sum.data(), dp.embeddings.LayerNorm.weight.data, dp.embeddings.LayerNorm.bias.data,
                      da.hidden[0].data(), a.embedding_sum.data(), a.embedding_mean.data(), a.embedding_rstd.data(),
                      p.embeddings.LayerNorm.weight.data, tokens.rows(), c.dim, workers);
  embedding_backward<T>(detail::tables_of(dp), da.embedding_sum.data(), {tokens.ids, tokens.type_ids},
                        static_cast<std::int32_t>(c.pad_token_id), tokens.batch, tokens.length, c.dim, workers);
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
  const auto& context = a.block[static_cast<std::size_t>(layer)].context;
  return c.layer_attention(layer) == attention_kind::inhibitor &&
         std::all_of(context.begin(), context.end(), [](T x) { return x == T(0); });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
