// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>
#include <vector>

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"
#include "inhibitor/models/bert/tensors.hpp"
#include "inhibitor/nn/packed_linear.hpp"

// The encoder of models/bert/encoder.hpp for inference alone: the same numbers to rounding, several times as fast.
//
//   encoder_inference<float> model(tensors);                       // packs the weights; the tensors may go
//   const float* logits = model.classify(tokens, workers);         // (B, num_labels), valid until the next call
//
// Sequences of different lengths lie one after the other and nothing is padded. One product gives q, k and v. Bias and
// GELU, residual and layer normalization run over rows that a product has just left in the cache, and the feed-forward
// network over a few hundred rows at a time, so that its wide intermediate result stays there too.
//
// M = rows of all sequences together, C width, F feed-forward width. Work is cut by shape: results do not depend on the
// number of workers with the products of this library (nn/packed_linear.hpp).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

struct inference_options {
  bool u8_attention = false;  ///< inhibitor layers attend in bytes (attention/u8/raw.hpp); float models only
};

/// Where the time of calls goes, in seconds on `clock`. Calls add to it.
struct inference_profile {
  double (*clock)() = nullptr;  ///< seconds; null: the wall clock
  double embeddings = 0;        ///< lookup and its layer normalization
  double projections = 0;       ///< q, k, v and the output of the attention
  double attention = 0;         ///< the mechanism between the projections
  double feed_forward = 0;      ///< both products, bias and GELU
  double norms = 0;             ///< residual and layer normalization
  double head = 0;              ///< classifier
};

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

  /// Last hidden states (M, C) of the tokens, valid until the next call. Throws std::invalid_argument for tokens that
  /// do not fit the model, naming the sequence and position, and with u8 attention for values that are not finite.
  /// Allocates only while buffers grow.
  const T* hidden(const packed_tokens& tokens, const executor& workers) {
    start(tokens, workers);
    for (index_t l = 0; l < config_.n_layers; ++l) whole_layer(l, tokens, workers);
    return hidden_.data();
  }
  /// Last hidden states (B, C) of the first token of every sequence, as hidden() has them. Cheaper, because nothing but
  /// keys and values of the last layer needs the other tokens.
  const T* first_hidden(const packed_tokens& tokens, const executor& workers) {
    start(tokens, workers);
    for (index_t l = 0; l + 1 < config_.n_layers; ++l) whole_layer(l, tokens, workers);
    last_layer_of_first(tokens, workers);
    return first_.data();
  }
  /// Logits (B, num_labels) of the classification head, computed from first_hidden(). Throws as hidden(), and for a
  /// model without the head.
  const T* classify(const packed_tokens& tokens, const executor& workers);

  /// Has later calls add their times to `profile`; null: no more.
  void set_profile(inference_profile* profile) { profile_ = profile; }

 private:
  struct layer {
    packed_linear<T, Gemm> qkv;    ///< (3C, C); the last layer has it in two parts
    packed_linear<T, Gemm> q, kv;  ///< (C, C), (2C, C)
    packed_linear<T, Gemm> out, lin1, lin2;
    aligned_buffer<T> norms;    ///< (4, C): weight and bias after attention, then after the feed-forward network
    aligned_buffer<T> scalars;  ///< (3, H) of the inhibitor, or empty
  };

  // Rows that share a set of cache lines on their way through a product would push each other out: widths are powers of
  // two too often. A line more per row keeps them apart.
  static constexpr index_t padding = 64 / static_cast<index_t>(sizeof(T));
  // Rows of the feed-forward network at a time: their (rows, F) stays in the last cache, and a product that packs the
  // weights in every call does it rarely enough.
  static constexpr index_t rows_together = 1024;
  static constexpr index_t norm_block = 16;

  index_t qkv_stride() const { return 3 * config_.dim + padding; }
  index_t context_stride() const { return config_.dim + padding; }
  index_t ffn_stride() const { return config_.hidden_dim + padding; }
  norm_view<T> norm_of(const aligned_buffer<T>& values, index_t which) const {
    const T* at = values.data() + 2 * which * config_.dim;
    return {at, at + config_.dim, static_cast<T>(config_.layer_norm_epsilon)};
  }

  /// Runs body(), its time added to one field of the profile.
  template <class Body>
  void timed(double inference_profile::*field, Body&& body) {
    if (profile_ == nullptr) {
      body();
      return;
    }
    const auto wall = [] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    };
    const auto now = [&] { return profile_->clock != nullptr ? profile_->clock() : wall(); };
    const double from = now();
    body();
    profile_->*field += now() - from;
  }
  /// Calls body(first, count) for blocks of rows.
  template <class Body>
  static void for_rows(index_t rows, const executor& workers, Body&& body) {
    workers.for_each((rows + norm_block - 1) / norm_block, [&](index_t item, index_t) {
      body(item * norm_block, std::min(norm_block, rows - item * norm_block));
    });
  }

  void start(const packed_tokens& tokens, const executor& workers);
  void whole_layer(index_t l, const packed_tokens& tokens, const executor& workers);
  void last_layer_of_first(const packed_tokens& tokens, const executor& workers);
  void attend(const layer& p, index_t l, const heads_view<T>& out, const heads_view<const T>& q,
              const attention_shape& shape, const executor& workers);
  void finish(const layer& p, T* x, const T* context, index_t rows, const executor& workers);

  attention_shape shape_of(const packed_tokens& tokens) const {
    attention_shape s;
    s.batch = tokens.batch;
    s.heads = config_.n_heads;
    s.queries = s.keys = longest_;
    s.head_size = s.value_size = config_.head_size();
    s.query_starts = s.key_starts = tokens.starts;
    return s;
  }
  template <class U>
  heads_view<U> heads(U* rows, index_t stride) const {
    return {rows, 0, stride, config_.head_size()};
  }

  encoder_config config_;
  inference_options options_;
  aligned_buffer<T> word_, position_, token_type_;  // (V, C), (P, C), (types, C) or empty
  aligned_buffer<T> embedding_norm_;                // (2, C)
  std::vector<layer> layers_;
  packed_linear<T, Gemm> pre_classifier_, classifier_;

  index_t longest_ = 0;
  aligned_buffer<std::int32_t> positions_;  // (M)
  aligned_buffer<T> hidden_;                // (M, C) input and output of a layer
  aligned_buffer<T> qkv_;                   // (M, 3C) by qkv_stride()
  aligned_buffer<T> context_;               // (M, C) by context_stride()
  aligned_buffer<T> middle_;                // (rows_together, C) after the attention's normalization
  aligned_buffer<T> ffn_;                   // (rows_together, F) by ffn_stride()
  aligned_buffer<T> first_, first_q_;       // (B, C)
  aligned_buffer<T> first_context_;         // (B, C) by context_stride()
  aligned_buffer<T> pooled_, logits_;       // (B, C), (B, num_labels)
  attention_workspace workspace_;
  inference_profile* profile_ = nullptr;
};

template <class T, class Gemm, class Isa>
encoder_inference<T, Gemm, Isa>::encoder_inference(const encoder_tensors<T>& parameters, inference_options options)
    : config_(parameters.config()), options_(options) {
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
  using linear = packed_linear<T, Gemm>;
  for (const block_tensors<T>& b : parameters.layer) {
    const attention_tensors<T>& a = b.attention;
    layer p;
    if (static_cast<index_t>(layers_.size()) + 1 < config_.n_layers) {
      p.qkv = linear({a.q_lin, a.k_lin, a.v_lin});
    } else {
      p.q = linear({a.q_lin});
      p.kv = linear({a.k_lin, a.v_lin});
    }
    p.out = linear({a.out_lin});
    p.lin1 = linear({b.ffn.lin1});
    p.lin2 = linear({b.ffn.lin2});
    copy(p.norms, {b.sa_layer_norm.weight, b.sa_layer_norm.bias, b.output_layer_norm.weight, b.output_layer_norm.bias});
    copy(p.scalars, {a.inhibitor_score_scale, a.inhibitor_shift, a.inhibitor_output_scale});
    layers_.push_back(std::move(p));
  }
  if (!parameters.heads().sequence_classification) return;
  pre_classifier_ = linear({parameters.pre_classifier});
  classifier_ = linear({parameters.classifier});
}

/// Checks the tokens, sizes the buffers and fills hidden_ with the embeddings.
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::start(const packed_tokens& tokens, const executor& workers) {
  longest_ = check_tokens(tokens, config_);
  const index_t rows = tokens.rows(), dim = config_.dim, together = std::min(rows, rows_together);
  positions_.resize(rows);
  hidden_.resize(rows * dim);
  qkv_.resize(rows * qkv_stride());
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
void encoder_inference<T, Gemm, Isa>::whole_layer(index_t l, const packed_tokens& tokens, const executor& workers) {
  const layer& p = layers_[static_cast<std::size_t>(l)];
  const index_t rows = tokens.rows(), dim = config_.dim;
  timed(&inference_profile::projections, [&] {
    if (p.qkv.out() > 0) {
      p.qkv.forward(qkv_.data(), qkv_stride(), hidden_.data(), dim, rows, activation::none, workers);
    } else {
      p.q.forward(qkv_.data(), qkv_stride(), hidden_.data(), dim, rows, activation::none, workers);
      p.kv.forward(qkv_.data() + dim, qkv_stride(), hidden_.data(), dim, rows, activation::none, workers);
    }
  });
  attend(p, l, heads(context_.data(), context_stride()), heads<const T>(qkv_.data(), qkv_stride()), shape_of(tokens),
         workers);
  finish(p, hidden_.data(), context_.data(), rows, workers);
}

/// first_ = the last layer of hidden_, first rows of all sequences. Queries of other rows and what follows the
/// attention are left out, with one exception: the step of byte queries is that of all queries of a sequence.
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::last_layer_of_first(const packed_tokens& tokens, const executor& workers) {
  const index_t l = config_.n_layers - 1, dim = config_.dim, batch = tokens.batch;
  const layer& p = layers_[static_cast<std::size_t>(l)];
  const bool in_bytes = options_.u8_attention && config_.layer_attention(l) == attention_kind::inhibitor;
  first_.resize(batch * dim);
  first_q_.resize(batch * dim);
  first_context_.resize(batch * context_stride());
  for (index_t b = 0; b < batch; ++b) {
    std::copy_n(hidden_.data() + tokens.starts[b] * dim, dim, first_.data() + b * dim);
  }
  timed(&inference_profile::projections, [&] {
    p.kv.forward(qkv_.data() + dim, qkv_stride(), hidden_.data(), dim, tokens.rows(), activation::none, workers);
    if (in_bytes) {
      p.q.forward(qkv_.data(), qkv_stride(), hidden_.data(), dim, tokens.rows(), activation::none, workers);
    } else {
      p.q.forward(first_q_.data(), dim, first_.data(), dim, batch, activation::none, workers);
    }
  });
  attention_shape shape = shape_of(tokens);
  if (in_bytes) {
    shape.rows = {0, 1};
    attend(p, l, heads(context_.data(), context_stride()), heads<const T>(qkv_.data(), qkv_stride()), shape, workers);
    for (index_t b = 0; b < batch; ++b) {
      std::copy_n(context_.data() + tokens.starts[b] * context_stride(), dim,
                  first_context_.data() + b * context_stride());
    }
  } else {
    shape.queries = 1;
    shape.query_starts = {};
    heads_view<const T> q = heads<const T>(first_q_.data(), dim);
    heads_view<T> out = heads(first_context_.data(), context_stride());
    q.batch_stride = dim;
    out.batch_stride = context_stride();
    attend(p, l, out, q, shape, workers);
  }
  finish(p, first_.data(), first_context_.data(), batch, workers);
}

/// out = attention of q and of the keys and values in qkv_.
template <class T, class Gemm, class Isa>
void encoder_inference<T, Gemm, Isa>::attend(const layer& p, index_t l, const heads_view<T>& out,
                                             const heads_view<const T>& q, const attention_shape& shape,
                                             const executor& workers) {
  const heads_view<const T> k = heads<const T>(qkv_.data() + config_.dim, qkv_stride());
  const heads_view<const T> v = heads<const T>(qkv_.data() + 2 * config_.dim, qkv_stride());
  const inhibitor_options& o = config_.inhibitor;
  const index_t count = config_.n_heads;
  timed(&inference_profile::attention, [&] {
    const auto run = [&](const auto& mechanism) {
      multi_head_attention_forward<T, std::decay_t<decltype(mechanism)>, Isa>(out, q, k, v, shape, {}, mechanism,
                                                                              workspace_, workers);
    };
    if (config_.layer_attention(l) == attention_kind::dot_product) {
      run(dot_product_attention<T>{});
      return;
    }
    const T* scalars = p.scalars.data();
    const inhibitor_attention<T> mechanism{o, {scalars, scalars + count, scalars + 2 * count}};
    if constexpr (std::is_same_v<T, float>) {
      if (options_.u8_attention) {
        u8::multi_head_attention_forward<Isa>(out, q, k, v, shape, {}, mechanism, workspace_, workers);
        return;
      }
    }
    if (config_.add_only) {
      run(add_only_inhibitor_attention<T>{o.center, o.is_signed, o.skip_inhibited, scalars + count});
    } else {
      run(mechanism);
    }
  });
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
      p.lin1.forward(ffn_.data(), ffn_stride(), middle, dim, count, activation::gelu, workers);
      p.lin2.forward(part, dim, ffn_.data(), ffn_stride(), count, activation::none, workers);
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
    // DistilBERT's head and BERT's pooler (models/bert/heads.hpp).
    const bool is_bert = config_.family == model_family::bert;
    for (T& x : pooled_) x = is_bert ? std::tanh(x) : std::max(x, T(0));
    classifier_.forward(logits_.data(), config_.num_labels, pooled_.data(), config_.dim, tokens.batch, activation::none,
                        workers);
  });
  return logits_.data();
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
