// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"
#include "inhibitor/models/bert/padded_batch.hpp"
#include "inhibitor/nn/inference_profile.hpp"
#include "inhibitor/nn/packed_linear.hpp"

// The encoder of models/bert/encoder.hpp for inference alone: the same numbers to rounding, several times as fast.
//
//   encoder_inference<float> model(tensors);                       // packs the weights; the tensors may go
//   const float* logits = model.classify(tokens, workers);         // (B, num_labels), valid until the next call
//
// Sequences of different lengths lie one after the other and nothing is padded, except for models that center over all
// keys (inference_options::counts_padding). One product gives q, k and v. Bias and GELU, residual and layer
// normalization run over rows that a product has just left in the cache, and the feed-forward network over a few
// hundred rows at a time, so that its wide intermediate result stays there too.
//
// M = rows of all sequences together, C width, F feed-forward width. Work is cut by shape: results do not depend on the
// number of workers with the products of this library (nn/packed_linear.hpp).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// An encoder with its classification head, if the tensors have one. Buffers grow to what the largest batch needs and
/// are then reused; one object serves one call at a time.
template <class T, class Gemm = panel_gemm, class Isa = default_isa>
class encoder_inference {
 public:
  /// Copies and packs the parameters. Throws std::invalid_argument for u8 attention in a model of another type than
  /// float.
  explicit encoder_inference(const encoder_tensors<T>& parameters, inference_options options = {});

  const encoder_config& config() const { return config_; }
  bool has_classifier() const { return classifier_.out() > 0; }
  /// Whether results depend on the length to which a batch is padded: it is, to its longest sequence or
  /// packed_tokens::padded_length.
  bool counts_padding() const { return counts_padding_; }

  /// Last hidden states (M, C) of the tokens, valid until the next call. Throws std::invalid_argument for tokens that
  /// do not fit the model, naming the sequence and position, and with u8 attention for values that are not finite.
  /// Allocates only while buffers grow.
  const T* hidden(const packed_tokens& tokens, const executor& workers) {
    start(tokens, workers);
    for (index_t l = 0; l < config_.n_layers; ++l) whole_layer(l, workers);
    if (rows_.key_mask != nullptr) padded_.remove_padding(hidden_.data(), tokens, config_.dim);
    return hidden_.data();
  }
  /// Last hidden states (B, C) of the first token of every sequence, as hidden() has them. Cheaper, because nothing but
  /// keys and values of the last layer needs the other tokens.
  const T* first_hidden(const packed_tokens& tokens, const executor& workers) {
    start(tokens, workers);
    for (index_t l = 0; l + 1 < config_.n_layers; ++l) whole_layer(l, workers);
    last_layer_of_first(workers);
    return first_.data();
  }
  /// Logits (B, num_labels) of the classification head, computed from first_hidden(). Throws as hidden(), and for a
  /// model without the head.
  const T* classify(const packed_tokens& tokens, const executor& workers);

  /// Has later calls add their times to `profile`; null: no more.
  void set_profile(inference_profile* profile) { scratch_.profile = profile; }

 private:
  using linear = packed_linear<T, Gemm>;
  struct layer {
    mixer_inference<T, Gemm, Isa> mixer;
    linear out, lin1, lin2;
    aligned_buffer<T> norms;  ///< (4, C): weight and bias after attention, then after the feed-forward network
  };

  static constexpr index_t padding = inference_scratch<T>::padding;
  // Rows of the feed-forward network at a time: their (rows, F) stays in the last cache, and a product that packs the
  // weights in every call does it rarely enough.
  static constexpr index_t rows_together = 1024;
  static constexpr index_t norm_block = 16;

  index_t context_stride() const { return config_.dim + padding; }
  index_t ffn_stride() const { return config_.intermediate_dim + padding; }
  norm_view<T> norm_of(const aligned_buffer<T>& values, index_t which) const {
    const T* at = values.data() + 2 * which * config_.dim;
    return {at, at + config_.dim, static_cast<T>(config_.layer_norm_epsilon)};
  }

  /// Runs body(), its time added to one field of the profile.
  template <class Body>
  void timed(double inference_profile::*field, Body&& body) {
    add_time(scratch_.profile, field, body);
  }
  /// Calls body(first, count) for blocks of rows.
  template <class Body>
  static void for_rows(index_t rows, const executor& workers, Body&& body) {
    workers.for_each((rows + norm_block - 1) / norm_block, [&](index_t item, index_t) {
      body(item * norm_block, std::min(norm_block, rows - item * norm_block));
    });
  }

  void start(const packed_tokens& tokens, const executor& workers);
  void whole_layer(index_t l, const executor& workers);
  void last_layer_of_first(const executor& workers);
  void finish(const layer& p, T* x, const T* context, index_t rows, const executor& workers);

  encoder_config config_;
  bool counts_padding_ = false;
  aligned_buffer<T> word_, position_, token_type_;  // (V, C), (P, C), (types, C) or empty
  aligned_buffer<T> embedding_norm_;                // (2, C)
  std::vector<layer> layers_;
  linear pre_classifier_, classifier_;

  packed_rows rows_;                        // of the call, its padding included
  padded_batch padded_;                     // of models that count padding
  aligned_buffer<std::int32_t> positions_;  // (M)
  aligned_buffer<T> hidden_;                // (M, C) input and output of a layer
  aligned_buffer<T> context_;               // (M, C) by context_stride()
  aligned_buffer<T> middle_;                // (rows_together, C) after the attention's normalization
  aligned_buffer<T> ffn_;                   // (rows_together, F) by ffn_stride()
  aligned_buffer<T> first_;                 // (B, C)
  aligned_buffer<T> first_context_;         // (B, C) by context_stride()
  aligned_buffer<T> pooled_, logits_;       // (B, C), (B, num_labels)
  inference_scratch<T> scratch_;
};

template <class T, class Gemm, class Isa>
encoder_inference<T, Gemm, Isa>::encoder_inference(const encoder_tensors<T>& parameters, inference_options options)
    : config_(parameters.config()) {
  check(std::is_same_v<T, float> || !options.u8_attention, "encoder_inference: u8 attention needs a model of float");
  const auto copy = [](aligned_buffer<T>& to, std::initializer_list<tensor<T>> parts) {
    index_t total = 0;
    for (const auto& part : parts) total += part.size();
    to.resize(total);
    T* next = to.data();
    for (const auto& part : parts) next = std::copy_n(part.data, part.size(), next);
  };
  const auto& e = parameters.embeddings;
  copy(word_, {e.word_embeddings});
  copy(position_, {e.position_embeddings});
  copy(token_type_, {e.token_type_embeddings});
  copy(embedding_norm_, {e.LayerNorm.weight, e.LayerNorm.bias});
  for (const transformer_block<T>& b : parameters.layer) {
    const bool is_last = static_cast<index_t>(layers_.size()) + 1 == config_.n_layers;
    layer p{pack_mixer<Gemm, Isa>(b.attention, config_.n_heads, config_, options, is_last),
            linear({b.attention.out_lin()}),
            linear({b.ffn.lin1}),
            linear({b.ffn.lin2}),
            {}};
    copy(p.norms, {b.sa_layer_norm.weight, b.sa_layer_norm.bias, b.output_layer_norm.weight, b.output_layer_norm.bias});
    counts_padding_ = counts_padding_ || std::visit([](const auto& m) { return m.counts_padding(); }, p.mixer);
    layers_.push_back(std::move(p));
  }
  const auto* head = parameters.template find_head<sequence_classification_head>();
  if (head == nullptr) return;
  pre_classifier_ = linear({head->pre_classifier});
  classifier_ = linear({head->classifier});
}

/// Checks the tokens, sizes the buffers and fills hidden_ with the embeddings.
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::start(const packed_tokens& unpadded, const executor& workers) {
  const index_t longest = check_tokens(unpadded, config_);
  packed_tokens tokens = unpadded;
  rows_ = {tokens.starts, tokens.batch, longest, nullptr};
  if (counts_padding_) {
    tokens = padded_.pad(unpadded, longest, config_);
    rows_ = {tokens.starts, tokens.batch, padded_.length(), padded_.key_mask()};
  }
  const index_t rows = tokens.rows(), dim = config_.dim, together = std::min(rows, rows_together);
  positions_.resize(rows);
  hidden_.resize(rows * dim);
  context_.resize(rows * context_stride());
  middle_.resize(together * dim);
  ffn_.resize(together * ffn_stride());
  timed(&inference_profile::embeddings, [&] {
    for (index_t b = 0; b < tokens.batch; ++b) {
      for (index_t i = tokens.starts[b]; i < tokens.starts[b + 1]; ++i) {
        positions_[i] = static_cast<std::int32_t>(i - tokens.starts[b]);
      }
    }
    for_rows(rows, workers, [&](index_t first, index_t count) {
      embed_norm_rows<T, Isa>(hidden_.data() + first * dim, dim, tokens.ids + first, positions_.data() + first,
                              tokens.type_ids == nullptr ? nullptr : tokens.type_ids + first, word_.data(),
                              position_.data(), token_type_.data(), norm_of(embedding_norm_, 0), count, dim);
    });
  });
}

/// hidden_ = layer l of hidden_, all rows.
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::whole_layer(index_t l, const executor& workers) {
  const layer& p = layers_[static_cast<std::size_t>(l)];
  std::visit(
      [&](const auto& m) { m.all_rows(context_.data(), context_stride(), hidden_.data(), rows_, scratch_, workers); },
      p.mixer);
  finish(p, hidden_.data(), context_.data(), rows_.rows(), workers);
}

/// first_ = the last layer of hidden_, first rows of all sequences.
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::last_layer_of_first(const executor& workers) {
  const index_t dim = config_.dim, batch = rows_.batch;
  const layer& p = layers_.back();
  first_.resize(batch * dim);
  first_context_.resize(batch * context_stride());
  for (index_t b = 0; b < batch; ++b) {
    std::copy_n(hidden_.data() + rows_.starts[b] * dim, dim, first_.data() + b * dim);
  }
  std::visit(
      [&](const auto& m) {
        m.first_rows(first_context_.data(), context_stride(), first_.data(), hidden_.data(), rows_, scratch_, workers);
      },
      p.mixer);
  finish(p, first_.data(), first_context_.data(), batch, workers);
}

/// The second half of a block, in place: x (rows, C) = LayerNorm(m + lin2(gelu(lin1(m)))), m = LayerNorm(x +
/// out(context)), context (rows, C) by context_stride().
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::finish(const layer& p, T* x, const T* context, index_t rows,
                                             const executor& workers) {
  const index_t dim = config_.dim;
  for (index_t from = 0; from < rows; from += rows_together) {
    const index_t count = std::min(rows_together, rows - from);
    T* part = x + from * dim;
    T* middle = middle_.data();
    timed(&inference_profile::projections, [&] {
      p.out.forward(middle, dim, context + from * context_stride(), context_stride(), count, activation::none, workers);
    });
    timed(&inference_profile::norms, [&] {
      for_rows(count, workers, [&](index_t first, index_t n) {
        residual_norm_rows<T, Isa>(middle + first * dim, dim, part + first * dim, dim, norm_of(p.norms, 0), n, dim);
      });
    });
    timed(&inference_profile::feed_forward, [&] {
      feed_forward_rows(part, dim, ffn_.data(), ffn_stride(), middle, dim, count, p.lin1, p.lin2, workers);
    });
    timed(&inference_profile::norms, [&] {
      for_rows(count, workers, [&](index_t first, index_t n) {
        residual_norm_rows<T, Isa>(part + first * dim, dim, middle + first * dim, dim, norm_of(p.norms, 1), n, dim);
      });
    });
  }
}

template <class T, class Gemm, class Isa>
const T* encoder_inference<T, Gemm, Isa>::classify(const packed_tokens& tokens, const executor& workers) {
  check(has_classifier(), "encoder_inference: the model has no classification head");
  first_hidden(tokens, workers);
  pooled_.resize(tokens.batch * config_.dim);
  logits_.resize(tokens.batch * config_.num_labels);
  timed(&inference_profile::head, [&] {
    pre_classifier_.forward(pooled_.data(), config_.dim, first_.data(), config_.dim, tokens.batch, activation::none,
                            workers);
    activate_pooler(pooled_.data(), pooled_.size(), config_.pooler);
    classifier_.forward(logits_.data(), config_.num_labels, pooled_.data(), config_.dim, tokens.batch, activation::none,
                        workers);
  });
  return logits_.data();
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
