// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "inhibitor/models/seq2seq/dropout_sites.hpp"
#include "inhibitor/models/seq2seq/model.hpp"
#include "inhibitor/models/seq2seq/token_views.hpp"

// The encoder-decoder of Vaswani et al. 2017 (arXiv 1706.03762), forward and its mirror, backward, for training.
// hidden[0] of a stack is its embeddings, hidden[l + 1] the output of layer l; its output is the last of them, or a
// normalization of it where norms precede the sums.
//
//   memory = encoder(source);  last = decoder(target, memory);  logits = last * output_weight^T + final_logits_bias
//
// Source rows B * S, target rows B * T.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The shape of the layers of a stack for one batch.
inline block_shape seq2seq_block_shape(const seq2seq_config& c, bool is_encoder, const sequence_view& tokens,
                                       bool is_training) {
  block_shape s;
  s.batch = tokens.batch;
  s.length = tokens.length;
  s.dim = c.d_model;
  s.heads = is_encoder ? c.encoder_heads : c.decoder_heads;
  s.intermediate = is_encoder ? c.encoder_ffn_dim : c.decoder_ffn_dim;
  s.options = c;
  s.norm = c.norm;
  s.dropout = s.attention_output_dropout = is_training ? c.dropout : 0;
  s.layer_norm_epsilon = c.layer_norm_epsilon;
  s.between = c.between;
  return s;
}

/// What the forward pass of one stack keeps; `Block` is what its blocks keep.
template <class T, class Block>
struct stack_activations {
  std::vector<aligned_buffer<T>> hidden;  // layers + 1 of (rows, C)
  std::vector<Block> block;               // layers
  norm_activations<T> norm;               // (rows) of the norm after the stack
  aligned_buffer<T> normed;               // (rows, C)

  void resize(const block_shape& s, index_t layers) {
    hidden.resize(static_cast<std::size_t>(layers + 1));
    block.resize(static_cast<std::size_t>(layers));
    for (auto& b : hidden) b.resize(s.rows() * s.dim);
    for (auto& b : block) b.resize(s);
    norm.resize(s.rows());
    if (s.norm == norm_placement::pre) normed.resize(s.rows() * s.dim);
  }
  /// Output (rows, C) of the stack.
  const T* output(norm_placement placement) const {
    return placement == norm_placement::pre ? normed.data() : hidden.back().data();
  }
};

/// Everything the forward pass computes and the backward pass needs. Reused from batch to batch; grows, never shrinks.
template <class T>
struct seq2seq_activations {
  stack_activations<T, block_activations<T>> encoder;
  stack_activations<T, decoder_block_activations<T>> decoder;
  attention_workspace workspace;
};

/// Gradients of activations. A loss adds its own to `last`, after `reset` and before seq2seq_backward.
template <class T>
struct seq2seq_activation_gradients {
  aligned_buffer<T> last;                   // (B * T, C) of the decoder's output
  aligned_buffer<T> memory;                 // (B * S, C) of the encoder's output
  aligned_buffer<T> above, below, context;  // (rows, C) of what a layer gives, is given and mixes
  block_gradients<T> encoder_scratch;
  decoder_block_gradients<T> decoder_scratch;

  /// Sizes every buffer for the batch and sets `last` and `memory` to zero.
  void reset(const seq2seq_config& c, const pair_view& tokens) {
    const block_shape source = seq2seq_block_shape(c, true, tokens.source, false);
    const block_shape target = seq2seq_block_shape(c, false, tokens.target, false);
    last.resize(target.rows() * c.d_model);
    memory.resize(source.rows() * c.d_model);
    last.fill_zero();
    memory.fill_zero();
    for (auto* b : {&above, &below, &context}) b->resize(std::max(source.rows(), target.rows()) * c.d_model);
    encoder_scratch.resize(source);
    decoder_scratch.resize(target);
  }
};

/// hidden[0] (rows, C) of a stack: embedding, then dropout at `site`. Throws std::invalid_argument for tokens that do
/// not fit the model.
template <class T>
void stack_embedding_forward(T* y, const sequence_view& tokens, const embedding_tables<const T>& tables,
                             const seq2seq_config& c, const dropout_mode& mode, std::uint32_t site,
                             const executor& workers) {
  embedding_forward<T>(y, {tokens.ids, nullptr}, tables, tokens.batch, tokens.length, c.d_model, workers);
  if (mode.enabled) dropout(y, tokens.rows() * c.d_model, c.dropout, mode.stream.at(site), workers);
}

/// Mirror of stack_embedding_forward: adds to the tables `d` from dy (rows, C), which is overwritten.
template <class T>
void stack_embedding_backward(const embedding_tables<T>& d, T* dy, const sequence_view& tokens, const seq2seq_config& c,
                              const dropout_mode& mode, std::uint32_t site, const executor& workers) {
  if (mode.enabled) dropout(dy, tokens.rows() * c.d_model, c.dropout, mode.stream.at(site), workers);
  embedding_backward<T>(d, dy, {tokens.ids, nullptr}, static_cast<std::int32_t>(c.pad_token_id), tokens.batch,
                        tokens.length, c.d_model, workers);
}

/// Fills a.encoder. Throws std::invalid_argument for tokens that do not fit the model; allocates only while the
/// activations grow.
template <class T>
void seq2seq_encode(seq2seq_activations<T>& a, const sequence_view& source, const seq2seq_tensors<T>& p,
                    const dropout_mode& mode, const executor& workers) {
  const seq2seq_config& c = p.config();
  check_sequence(source, "source", c.vocab_size, c.max_position_embeddings);
  const block_shape s = seq2seq_block_shape(c, true, source, mode.enabled);
  auto& stack = a.encoder;
  stack.resize(s, c.encoder_layers);
  stack_embedding_forward(stack.hidden[0].data(), source, p.source_tables(), c, mode,
                          seq2seq_dropout_sites::source_embeddings, workers);
  for (std::size_t l = 0; l < p.encoder.size(); ++l) {
    const T* x = stack.hidden[l].data();
    p.encoder[l].context_forward(stack.block[l], x, source.key_mask, s, a.workspace, workers);
    p.encoder[l].output_forward(stack.hidden[l + 1].data(), stack.block[l], x, s,
                                seq2seq_dropout_sites::encoder(mode, static_cast<index_t>(l)), workers);
  }
  if (c.norm == norm_placement::pre) {
    normalize(stack.normed.data(), stack.norm, stack.hidden.back().data(), p.encoder_norm, s, workers);
  }
}

/// What the decoder of a batch attends to, once a.encoder is filled.
template <class T>
decoder_memory<T> memory_of(const seq2seq_activations<T>& a, const pair_view& tokens, const seq2seq_config& c) {
  return {a.encoder.output(c.norm), tokens.source.length, tokens.source.key_mask, tokens.target.key_mask};
}

/// Fills a.decoder from a.encoder. Throws and allocates as seq2seq_encode.
template <class T>
void seq2seq_decode(seq2seq_activations<T>& a, const pair_view& tokens, const seq2seq_tensors<T>& p,
                    const dropout_mode& mode, const executor& workers) {
  const seq2seq_config& c = p.config();
  check(tokens.source.batch == tokens.target.batch, "seq2seq_decode: there must be as many targets as sources");
  check_sequence(tokens.target, "target", c.target_vocab_size(), c.max_position_embeddings);
  const block_shape s = seq2seq_block_shape(c, false, tokens.target, mode.enabled);
  auto& stack = a.decoder;
  stack.resize(s, c.decoder_layers);
  stack_embedding_forward(stack.hidden[0].data(), tokens.target, p.target_tables(), c, mode,
                          seq2seq_dropout_sites::target_embeddings, workers);
  for (std::size_t l = 0; l < p.decoder.size(); ++l) {
    p.decoder[l].forward(stack.hidden[l + 1].data(), stack.block[l], stack.hidden[l].data(), memory_of(a, tokens, c), s,
                         seq2seq_dropout_sites::decoder(mode, static_cast<index_t>(l)), a.workspace, workers);
  }
  if (c.norm == norm_placement::pre) {
    normalize(stack.normed.data(), stack.norm, stack.hidden.back().data(), p.decoder_norm, s, workers);
  }
}

/// The whole model but its output layer. Throws and allocates as its two parts.
template <class T>
void seq2seq_forward(seq2seq_activations<T>& a, const pair_view& tokens, const seq2seq_tensors<T>& p,
                     const dropout_mode& mode, const executor& workers) {
  seq2seq_encode(a, tokens.source, p, mode, workers);
  seq2seq_decode(a, tokens, p, mode, workers);
}

/// Mirror of seq2seq_decode: adds to `dp` and to da.memory from da.last.
template <class T>
void seq2seq_decode_backward(seq2seq_tensors<T>& dp, seq2seq_activation_gradients<T>& da, seq2seq_activations<T>& a,
                             const pair_view& tokens, const seq2seq_tensors<T>& p, const dropout_mode& mode,
                             const executor& workers) {
  const seq2seq_config& c = p.config();
  const block_shape s = seq2seq_block_shape(c, false, tokens.target, mode.enabled);
  const auto& stack = a.decoder;
  const index_t size = s.rows() * s.dim;
  if (c.norm == norm_placement::pre) {
    // normalize(normed, hidden[layers])
    std::fill_n(da.above.data(), size, T(0));
    normalize_backward(da.above.data(), dp.decoder_norm, da.last.data(), stack.hidden.back().data(), stack.norm,
                       p.decoder_norm, s, workers);
  } else {
    std::copy_n(da.last.data(), size, da.above.data());
  }
  for (std::size_t l = p.decoder.size(); l-- > 0;) {
    // forward(hidden[l + 1], hidden[l], memory)
    std::fill_n(da.below.data(), size, T(0));
    p.decoder[l].backward(da.below.data(), da.memory.data(), dp.decoder[l], da.above.data(), stack.block[l],
                          stack.hidden[l].data(), memory_of(a, tokens, c), s,
                          seq2seq_dropout_sites::decoder(mode, static_cast<index_t>(l)), da.decoder_scratch,
                          a.workspace, workers);
    std::swap(da.above, da.below);
  }
  // stack_embedding_forward(hidden[0])
  stack_embedding_backward(dp.target_gradients(), da.above.data(), tokens.target, c, mode,
                           seq2seq_dropout_sites::target_embeddings, workers);
}

/// Mirror of seq2seq_encode: adds to `dp` from da.memory.
template <class T>
void seq2seq_encode_backward(seq2seq_tensors<T>& dp, seq2seq_activation_gradients<T>& da, seq2seq_activations<T>& a,
                             const sequence_view& source, const seq2seq_tensors<T>& p, const dropout_mode& mode,
                             const executor& workers) {
  const seq2seq_config& c = p.config();
  const block_shape s = seq2seq_block_shape(c, true, source, mode.enabled);
  const auto& stack = a.encoder;
  const index_t size = s.rows() * s.dim;
  if (c.norm == norm_placement::pre) {
    // normalize(normed, hidden[layers])
    std::fill_n(da.above.data(), size, T(0));
    normalize_backward(da.above.data(), dp.encoder_norm, da.memory.data(), stack.hidden.back().data(), stack.norm,
                       p.encoder_norm, s, workers);
  } else {
    std::copy_n(da.memory.data(), size, da.above.data());
  }
  for (std::size_t l = p.encoder.size(); l-- > 0;) {
    std::fill_n(da.below.data(), size, T(0));
    std::fill_n(da.context.data(), size, T(0));
    // output_forward(hidden[l + 1], hidden[l], context)
    p.encoder[l].output_backward(da.below.data(), da.context.data(), dp.encoder[l], da.above.data(), stack.block[l], s,
                                 seq2seq_dropout_sites::encoder(mode, static_cast<index_t>(l)), da.encoder_scratch,
                                 workers);
    // context_forward(context, hidden[l])
    p.encoder[l].context_backward(da.below.data(), dp.encoder[l], da.context.data(), stack.block[l],
                                  stack.hidden[l].data(), source.key_mask, s, da.encoder_scratch, a.workspace, workers);
    std::swap(da.above, da.below);
  }
  // stack_embedding_forward(hidden[0])
  stack_embedding_backward(dp.source_gradients(), da.above.data(), source, c, mode,
                           seq2seq_dropout_sites::source_embeddings, workers);
}

/// Mirror of seq2seq_forward: adds to `dp` from da.last.
template <class T>
void seq2seq_backward(seq2seq_tensors<T>& dp, seq2seq_activation_gradients<T>& da, seq2seq_activations<T>& a,
                      const pair_view& tokens, const seq2seq_tensors<T>& p, const dropout_mode& mode,
                      const executor& workers) {
  seq2seq_decode_backward(dp, da, a, tokens, p, mode, workers);
  seq2seq_encode_backward(dp, da, a, tokens.source, p, mode, workers);
}

/// What the output layer keeps, for the N rows asked for.
template <class T>
struct output_activations {
  std::vector<index_t> positions;  // (N) rows of (B * T, C)
  aligned_buffer<T> selected;      // (N, C) the decoder's output
  aligned_buffer<T> logits;        // (N, Vt)
};

/// saved.logits (N, Vt) of the rows saved.positions of the decoder's output: only rows that count are computed, for
/// logits dwarf the model.
template <class T>
void seq2seq_output_forward(output_activations<T>& saved, const seq2seq_activations<T>& a, const seq2seq_tensors<T>& p,
                            const executor& workers) {
  const seq2seq_config& c = p.config();
  const auto n = static_cast<index_t>(saved.positions.size());
  const T* last = a.decoder.output(c.norm);
  saved.selected.resize(n * c.d_model);
  saved.logits.resize(n * c.target_vocab_size());
  for (index_t i = 0; i < n; ++i) {
    std::copy_n(last + saved.positions[static_cast<std::size_t>(i)] * c.d_model, c.d_model,
                saved.selected.data() + i * c.d_model);
  }
  linear_forward(saved.logits.data(), saved.selected.data(), p.output_weight().data, p.final_logits_bias.data, n,
                 c.d_model, c.target_vocab_size(), workers);
}

/// Mirror of seq2seq_output_forward: adds to `dp` and da.last from dlogits (N, Vt). Where the output is tied, the table
/// of the target's words gets this gradient and that of the embedding.
template <class T>
void seq2seq_output_backward(seq2seq_tensors<T>& dp, seq2seq_activation_gradients<T>& da, const T* dlogits,
                             const output_activations<T>& saved, const seq2seq_tensors<T>& p, const executor& workers) {
  const seq2seq_config& c = p.config();
  const auto n = static_cast<index_t>(saved.positions.size());
  aligned_buffer<T> dselected(n * c.d_model);
  // linear_forward(logits, selected, output_weight)
  linear_backward(dselected.data(), dp.output_weight().data, dp.final_logits_bias.data, dlogits, saved.selected.data(),
                  p.output_weight().data, n, c.d_model, c.target_vocab_size(), workers);
  // selected = last[positions]
  for (index_t i = 0; i < n; ++i) {
    T* row = da.last.data() + saved.positions[static_cast<std::size_t>(i)] * c.d_model;
    for (index_t k = 0; k < c.d_model; ++k) row[k] += dselected[i * c.d_model + k];
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
