// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/models/seq2seq/model.hpp"
#include "inhibitor/models/seq2seq/token_views.hpp"
#include "inhibitor/nn/packed_linear.hpp"

// The encoder-decoder of models/seq2seq/encoder_decoder.hpp for inference alone: the same numbers to rounding, token by
// token from caches.
//
//   seq2seq_inference<float> model(tensors);            // packs the weights; the tensors may go
//   model.start(sources, workers);                      // encodes; one row per sentence
//   const float* logits = model.step(ids, workers);     // (R, Vt) of what follows the rows when they go on with ids (R)
//   model.reorder(parents);                             // row i goes on from what row parents[i] was
//
// Rows are the unfinished translations, those of a sentence side by side; a sentence without rows is gone. Nothing is
// padded and every number of a row is computed the same way wherever the row is, so that a sentence's bits do not
// depend on the sentences beside it, nor on the number of workers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// An encoder-decoder at inference. One object serves one batch at a time.
template <class T, class Gemm = panel_gemm, class Isa = default_isa>
class seq2seq_inference {
 public:
  /// Copies and packs the parameters.
  explicit seq2seq_inference(const seq2seq_tensors<T>& parameters);

  const seq2seq_config& config() const { return config_; }
  /// Rows that are being translated, and the tokens that each has been given.
  index_t rows() const { return static_cast<index_t>(sentence_of_.size()); }
  index_t given() const { return given_; }
  /// The sentence (of those that `start` was given) that a row belongs to.
  index_t sentence_of(index_t row) const { return sentence_of_[static_cast<std::size_t>(row)]; }

  /// Encodes the sources and begins one empty translation for each. Throws std::invalid_argument for tokens that do not
  /// fit the model, naming the sequence and position.
  void start(const packed_sequences& sources, const executor& workers);

  /// Logits (R, Vt) of the tokens that follow when the rows go on with `ids` (R), valid until the next call. Throws
  /// std::invalid_argument for ids outside the vocabulary and beyond the position table.
  const T* step(const std::int32_t* ids, const executor& workers) { return advance(ids, 1, workers); }

  /// Logits (R * count, Vt) when the rows go on with `count` tokens each, ids (R, count).
  const T* advance(const std::int32_t* ids, index_t count, const executor& workers);

  /// Makes row i what row parents[i] was; from then on there are as many rows as parents. Throws std::invalid_argument
  /// for a row that there is not, and for parents whose sentences are not in order.
  void reorder(const std::vector<index_t>& parents);

 private:
  using linear = packed_linear<T, Gemm>;
  /// What follows the mixers of a layer.
  struct network {
    linear lin1, lin2;
    aligned_buffer<T> norm;  // (2, C)
  };
  struct encoder_layer {
    mixer_inference<T, Gemm, Isa> mixer;
    linear out;
    aligned_buffer<T> mixer_norm;  // (2, C) weight and bias
    network feed_forward;
  };
  struct decoder_layer {
    mixer_decoding<T, Gemm, Isa> self, cross;
    linear self_out, cross_out;
    aligned_buffer<T> self_norm, cross_norm;  // (2, C)
    network feed_forward;
  };
  struct embedding {
    aligned_buffer<T> words, positions;  // (V, C), (P, C) or empty
  };

  static constexpr index_t padding = inference_scratch<T>::padding;
  static constexpr index_t row_block = 16;

  index_t context_stride() const { return config_.d_model + padding; }
  bool is_pre() const { return config_.norm == norm_placement::pre; }

  static aligned_buffer<T> joined(std::initializer_list<tensor<T>> parts) {
    index_t total = 0;
    for (const auto& part : parts) total += part.size();
    aligned_buffer<T> to(total);
    T* next = to.data();
    for (const auto& part : parts) next = std::copy_n(part.data, part.size(), next);
    return to;
  }
  static aligned_buffer<T> joined(const norm_tensors<T>& norm) { return joined({norm.weight, norm.bias}); }
  static network packed(const feed_forward_sublayer<T>& p) {
    return {linear({p.ffn.lin1}), linear({p.ffn.lin2}), joined(p.output_layer_norm)};
  }
  embedding embedding_of(const embedding_tables<const T>& tables, index_t vocab) const {
    const auto copy = [](const T* from, index_t size) {
      aligned_buffer<T> to(from == nullptr ? 0 : size);
      if (from != nullptr) std::copy_n(from, size, to.data());
      return to;
    };
    return {copy(tables.word, vocab * config_.d_model),
            copy(tables.position, config_.max_position_embeddings * config_.d_model)};
  }

  /// Calls body(first, count) for blocks of rows.
  template <class Body>
  static void for_rows(index_t rows, const executor& workers, Body&& body) {
    for_each_range(rows, row_block, workers, [&](index_t begin, index_t end) { body(begin, end - begin); });
  }
  /// x (rows, C) = scale * words[ids] + positions[position_of(row)].
  template <class Position>
  void embed(const embedding& e, const std::int32_t* ids, index_t rows, Position&& position_of) {
    const index_t dim = config_.d_model;
    x_.resize(rows * dim);
    const T scale = static_cast<T>(config_.scale_embedding ? std::sqrt(static_cast<double>(dim)) : 1);
    for (index_t i = 0; i < rows; ++i) {
      const T* word = e.words.data() + ids[i] * dim;
      const T* position = e.positions.size() > 0 ? e.positions.data() + position_of(i) * dim : nullptr;
      T* to = x_.data() + i * dim;
      for (index_t k = 0; k < dim; ++k) to[k] = scale * word[k] + (position != nullptr ? position[k] : T(0));
    }
  }
  /// y (rows, C) = LayerNorm(y + x (rows, C)).
  void normalize_sum(T* y, const T* x, index_t rows, const aligned_buffer<T>& norm, const executor& workers) const {
    const index_t dim = config_.d_model;
    const norm_view<T> view{norm.data(), norm.data() + dim, static_cast<T>(config_.layer_norm_epsilon)};
    for_rows(rows, workers, [&](index_t first, index_t count) {
      residual_norm_rows<T, Isa>(y + first * dim, dim, x + first * dim, dim, view, count, dim);
    });
  }
  /// One sublayer, in place on x_ (rows, C): branch(y, input) sets y (rows, C).
  template <class Branch>
  void sublayer(index_t rows, const aligned_buffer<T>& norm, const executor& workers, Branch&& branch) {
    const index_t size = rows * config_.d_model;
    branch_.resize(size);
    const T* input = x_.data();
    if (is_pre()) {
      normed_.resize(size);
      normed_.fill_zero();
      normalize_sum(normed_.data(), x_.data(), rows, norm, workers);
      input = normed_.data();
    }
    branch(branch_.data(), input);
    if (is_pre()) {
      add_to(x_.data(), branch_.data(), size, workers);
    } else {
      normalize_sum(x_.data(), branch_.data(), rows, norm, workers);
    }
  }
  /// mix(context, input) sets the context (rows, C), rows context_stride() apart.
  template <class Mix>
  void attention(index_t rows, const aligned_buffer<T>& norm, const linear& out, const executor& workers, Mix&& mix) {
    sublayer(rows, norm, workers, [&](T* y, const T* input) {
      context_.resize(rows * context_stride());
      mix(context_.data(), input);
      out.forward(y, config_.d_model, context_.data(), context_stride(), rows, activation::none, workers);
    });
  }
  void feed_forward(index_t rows, const network& p, const executor& workers) {
    sublayer(rows, p.norm, workers, [&](T* y, const T* input) {
      const index_t stride = p.lin1.out() + padding;
      hidden_.resize(rows * stride);
      p.lin1.forward(hidden_.data(), stride, input, config_.d_model, rows, config_.between, workers);
      p.lin2.forward(y, config_.d_model, hidden_.data(), stride, rows, activation::none, workers);
    });
  }
  /// Output (rows, C) of a stack that x_ has passed.
  const T* finished(index_t rows, const aligned_buffer<T>& norm, const executor& workers) {
    if (!is_pre()) return x_.data();
    normed_.resize(rows * config_.d_model);
    normed_.fill_zero();
    normalize_sum(normed_.data(), x_.data(), rows, norm, workers);
    return normed_.data();
  }
  /// Sets the starts of rows and of sentences in a step of `count` tokens for every row.
  void share_out(index_t count);

  seq2seq_config config_;
  embedding source_, target_;
  std::vector<encoder_layer> encoder_;
  std::vector<decoder_layer> decoder_;
  aligned_buffer<T> encoder_norm_, decoder_norm_;  // (2, C), with norms before the sums
  linear output_;

  std::vector<index_t> sentence_of_;          // (R), in order
  std::vector<index_t> live_;                 // sentences that have rows, in order
  std::vector<index_t> row_starts_, starts_;  // (R + 1), (live + 1) in rows of the step in work
  index_t given_ = 0;
  aligned_buffer<T> x_, normed_, branch_;  // (rows, C) of a sublayer
  aligned_buffer<T> context_, hidden_;     // (rows, C) by context_stride(), (rows, F) padded
  aligned_buffer<T> logits_;               // (R, Vt)
  inference_scratch<T> scratch_;
};

template <class T, class Gemm, class Isa>
seq2seq_inference<T, Gemm, Isa>::seq2seq_inference(const seq2seq_tensors<T>& parameters)
    : config_(parameters.config()),
      source_(embedding_of(parameters.source_tables(), config_.vocab_size)),
      target_(embedding_of(parameters.target_tables(), config_.target_vocab_size())),
      encoder_norm_(joined(parameters.encoder_norm)),
      decoder_norm_(joined(parameters.decoder_norm)) {
  for (const transformer_block<T>& b : parameters.encoder) {
    encoder_.push_back({pack_mixer<Gemm, Isa>(b.attention, config_.encoder_heads, config_, {}, false),
                        linear({b.attention.out_lin()}), joined(b.sa_layer_norm), packed(b)});
  }
  for (const decoder_block<T>& b : parameters.decoder) {
    decoder_.push_back({pack_mixer_for_decoding<Gemm, Isa>(b.self.attention, config_.decoder_heads, config_, false),
                        pack_mixer_for_decoding<Gemm, Isa>(b.cross.attention, config_.decoder_heads, config_, true),
                        linear({b.self.attention.out_lin()}), linear({b.cross.attention.out_lin()}),
                        joined(b.self.sa_layer_norm), joined(b.cross.sa_layer_norm), packed(b.network)});
  }
  linear_tensors<T> output;
  output.weight = parameters.output_weight();
  output.bias = parameters.final_logits_bias;
  output_ = linear({output});
}

template <class T, class Gemm, class Isa>
void seq2seq_inference<T, Gemm, Isa>::start(const packed_sequences& sources, const executor& workers) {
  const index_t longest = check_sources(sources, config_.vocab_size, config_.max_position_embeddings);
  const packed_rows tokens{sources.starts, sources.batch, longest, nullptr};
  const index_t rows = sources.rows();
  std::vector<index_t> position(static_cast<std::size_t>(rows));
  sentence_of_.clear();
  for (index_t b = 0; b < sources.batch; ++b) {
    for (index_t i = sources.starts[b]; i < sources.starts[b + 1]; ++i) {
      position[static_cast<std::size_t>(i)] = i - sources.starts[b];
    }
    sentence_of_.push_back(b);
  }
  live_ = sentence_of_;
  given_ = 0;
  embed(source_, sources.ids, rows, [&](index_t i) { return position[static_cast<std::size_t>(i)]; });
  for (encoder_layer& p : encoder_) {
    attention(rows, p.mixer_norm, p.out, workers, [&](T* context, const T* input) {
      std::visit([&](const auto& m) { m.all_rows(context, context_stride(), input, tokens, scratch_, workers); },
                 p.mixer);
    });
    feed_forward(rows, p.feed_forward, workers);
  }
  const T* memory = finished(rows, encoder_norm_, workers);
  for (decoder_layer& p : decoder_) {
    std::visit([&](auto& m) { m.start(sources.batch); }, p.self);
    std::visit([&](auto& m) { m.remember(memory, tokens, scratch_, workers); }, p.cross);
  }
}

template <class T, class Gemm, class Isa>
void seq2seq_inference<T, Gemm, Isa>::share_out(index_t count) {
  row_starts_.resize(sentence_of_.size() + 1);
  for (std::size_t r = 0; r < row_starts_.size(); ++r) row_starts_[r] = static_cast<index_t>(r) * count;
  starts_.assign(1, 0);
  for (std::size_t r = 0; r < sentence_of_.size(); ++r) {
    const bool is_last = r + 1 == sentence_of_.size() || sentence_of_[r + 1] != sentence_of_[r];
    if (is_last) starts_.push_back(row_starts_[r + 1]);
  }
}

template <class T, class Gemm, class Isa>
const T* seq2seq_inference<T, Gemm, Isa>::advance(const std::int32_t* ids, index_t count, const executor& workers) {
  const index_t rows = this->rows() * count, vocab = config_.target_vocab_size();
  check(given_ + count <= config_.max_position_embeddings, [&] {
    return "seq2seq_inference: a translation has " + std::to_string(given_ + count) +
           " tokens; expected at most max_position_embeddings = " + std::to_string(config_.max_position_embeddings);
  });
  for (index_t i = 0; i < rows; ++i) {
    check(ids[i] >= 0 && ids[i] < vocab, [&] {
      return "token of row " + std::to_string(i / count) + " is " + std::to_string(ids[i]) + "; expected 0 <= id < " +
             std::to_string(vocab);
    });
  }
  share_out(count);
  const packed_rows each{row_starts_.data(), this->rows(), count, nullptr};
  packed_rows together{starts_.data(), static_cast<index_t>(live_.size()), 0, nullptr};
  for (std::size_t s = 0; s + 1 < starts_.size(); ++s) {
    together.longest = std::max(together.longest, starts_[s + 1] - starts_[s]);
  }
  embed(target_, ids, rows, [&](index_t i) { return given_ + i % count; });
  for (decoder_layer& p : decoder_) {
    attention(rows, p.self_norm, p.self_out, workers, [&](T* context, const T* input) {
      std::visit([&](auto& m) { m.step(context, context_stride(), input, each, scratch_, workers); }, p.self);
    });
    attention(rows, p.cross_norm, p.cross_out, workers, [&](T* context, const T* input) {
      std::visit([&](auto& m) { m.step(context, context_stride(), input, together, scratch_, workers); }, p.cross);
    });
    feed_forward(rows, p.feed_forward, workers);
  }
  given_ += count;
  logits_.resize(rows * vocab);
  output_.forward(logits_.data(), vocab, finished(rows, decoder_norm_, workers), config_.d_model, rows,
                  activation::none, workers);
  return logits_.data();
}

template <class T, class Gemm, class Isa>
void seq2seq_inference<T, Gemm, Isa>::reorder(const std::vector<index_t>& parents) {
  std::vector<index_t> sentences, live, kept;
  for (const index_t parent : parents) {
    check(parent >= 0 && parent < rows(), "seq2seq_inference: there is no such row");
    const index_t sentence = sentence_of(parent);
    check(sentences.empty() || sentences.back() <= sentence, "seq2seq_inference: sentences must stay in order");
    sentences.push_back(sentence);
    if (!live.empty() && live.back() == sentence) continue;
    live.push_back(sentence);
    kept.push_back(std::lower_bound(live_.begin(), live_.end(), sentence) - live_.begin());
  }
  const bool all_stay = live.size() == live_.size();
  for (decoder_layer& p : decoder_) {
    std::visit([&](auto& m) { m.reorder(parents); }, p.self);
    if (!all_stay) std::visit([&](auto& m) { m.reorder(kept); }, p.cross);
  }
  sentence_of_ = std::move(sentences);
  live_ = std::move(live);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
