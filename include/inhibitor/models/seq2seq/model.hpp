// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/models/parameters.hpp"
#include "inhibitor/models/seq2seq/config.hpp"
#include "inhibitor/nn/decoder_block.hpp"
#include "inhibitor/nn/embedding.hpp"
#include "inhibitor/nn/transformer_block.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The boxes of an encoder-decoder (Vaswani et al. 2017, arXiv 1706.03762). What checkpoints call their tensors:
/// models/seq2seq/tensor_names.hpp.
template <class T>
class seq2seq_model {
 public:
  tensor<T> shared;                                // (V, C) words of both sides, where they share them
  tensor<T> encoder_words, decoder_words;          // (V, C), (Vt, C) otherwise
  tensor<T> encoder_positions, decoder_positions;  // (P, C), learned positions alone
  std::vector<transformer_block<T>> encoder;
  std::vector<decoder_block<T>> decoder;
  norm_tensors<T> encoder_norm, decoder_norm;  // (C) after a stack with norms before its sums
  tensor<T> lm_head;                           // (Vt, C), unless the output is tied to the target's words
  tensor<T> final_logits_bias;                 // (Vt)

  seq2seq_model() = default;
  /// Throws std::invalid_argument when the configuration is invalid or a mixer has no such name.
  explicit seq2seq_model(const seq2seq_config& config) : config_(config) {
    config_.validate();
    const seq2seq_config& c = config_;
    const auto words = [&](index_t size) { return tensor<T>::matrix(size, c.d_model); };
    if (c.share_embeddings) {
      shared = words(c.vocab_size);
    } else {
      encoder_words = words(c.vocab_size);
      decoder_words = words(c.target_vocab_size());
    }
    if (c.positions == position_kind::learned) {
      encoder_positions = decoder_positions = words(c.max_position_embeddings);
    } else if (is_sinusoidal(c.positions)) {
      sinusoids_.resize(c.max_position_embeddings * c.d_model);
      sinusoidal_positions(sinusoids_.data(), c.positions, c.max_position_embeddings, c.d_model, c.pad_token_id);
    }
    for (index_t l = 0; l < c.encoder_layers; ++l) {
      encoder.emplace_back(c.mixer_of(mixing_place::encoder_self, l), c.d_model, c.encoder_heads, c.encoder_ffn_dim, c);
    }
    for (index_t l = 0; l < c.decoder_layers; ++l) {
      decoder.emplace_back(c.mixer_of(mixing_place::decoder_self, l), c.mixer_of(mixing_place::cross, l), c.d_model,
                           c.decoder_heads, c.decoder_ffn_dim, c);
    }
    if (c.norm == norm_placement::pre) encoder_norm = decoder_norm = norm_tensors<T>(c.d_model);
    if (!c.tie_output) lm_head = words(c.target_vocab_size());
    final_logits_bias = tensor<T>::vector(c.target_vocab_size());
  }

  const seq2seq_config& config() const { return config_; }

  tensor<T>& source_words() { return config_.share_embeddings ? shared : encoder_words; }
  const tensor<T>& source_words() const { return config_.share_embeddings ? shared : encoder_words; }
  tensor<T>& target_words() { return config_.share_embeddings ? shared : decoder_words; }
  const tensor<T>& target_words() const { return config_.share_embeddings ? shared : decoder_words; }
  /// Weight (Vt, C) of the output layer.
  tensor<T>& output_weight() { return config_.tie_output ? target_words() : lm_head; }
  const tensor<T>& output_weight() const { return config_.tie_output ? target_words() : lm_head; }

  /// What the embeddings of the source and of the target are made of.
  embedding_tables<const T> source_tables() const {
    return {source_words().data, positions_of(encoder_positions), nullptr, word_scale()};
  }
  embedding_tables<const T> target_tables() const {
    return {target_words().data, positions_of(decoder_positions), nullptr, word_scale()};
  }
  /// Of a model of gradients: where theirs are added. Sinusoids have none.
  embedding_tables<T> source_gradients() {
    return {source_words().data, encoder_positions.data, nullptr, word_scale()};
  }
  embedding_tables<T> target_gradients() {
    return {target_words().data, decoder_positions.data, nullptr, word_scale()};
  }

  /// Changes what is not a size: dropout and the options of the mixers.
  void set_options(const seq2seq_config& config) {
    config_.dropout = config.dropout;
    config_.inhibitor = config.inhibitor;
  }

  /// Calls f(name, tensor&) for every tensor, in a fixed order.
  template <class Visitor>
  void visit(Visitor&& f) {
    const auto present = [&](const std::string& name, tensor<T>& t) {
      if (t.rank > 0) f(name, t);
    };
    present("model.shared.weight", shared);
    present("model.encoder.embed_tokens.weight", encoder_words);
    present("model.encoder.embed_positions.weight", encoder_positions);
    for (std::size_t l = 0; l < encoder.size(); ++l) encoder[l].visit("model.encoder.layers." + std::to_string(l), f);
    present("model.encoder.layer_norm.weight", encoder_norm.weight);
    present("model.encoder.layer_norm.bias", encoder_norm.bias);
    present("model.decoder.embed_tokens.weight", decoder_words);
    present("model.decoder.embed_positions.weight", decoder_positions);
    for (std::size_t l = 0; l < decoder.size(); ++l) decoder[l].visit("model.decoder.layers." + std::to_string(l), f);
    present("model.decoder.layer_norm.weight", decoder_norm.weight);
    present("model.decoder.layer_norm.bias", decoder_norm.bias);
    present("lm_head.weight", lm_head);
    f(std::string("final_logits_bias"), final_logits_bias);
  }

 private:
  double word_scale() const { return config_.scale_embedding ? std::sqrt(static_cast<double>(config_.d_model)) : 1; }
  const T* positions_of(const tensor<T>& learned) const {
    return is_sinusoidal(config_.positions) ? sinusoids_.data() : learned.data;
  }

  seq2seq_config config_;
  aligned_buffer<T> sinusoids_;  // (P, C)
};

/// All numbers of an encoder-decoder.
template <class T>
using seq2seq_tensors = parameters<T, seq2seq_model<T>>;

/// Draws the values of a new model as fairseq does: words, positions and an output layer of its own normal with
/// deviation d_model^-0.5, the row of padding 0; weights uniform in +-sqrt(6 / (in + out)) (Glorot & Bengio 2010); the
/// others as they say of themselves.
template <class T>
void initialize(seq2seq_tensors<T>& p, std::uint64_t seed) {
  const seq2seq_config& c = p.config();
  initial_numbers numbers(seed);
  const double deviation = 1 / std::sqrt(static_cast<double>(c.d_model));
  p.visit([&](const std::string& name, tensor<T>& t) {
    const bool is_table =
        name.find("embed_") != std::string::npos || t.data == p.shared.data || t.data == p.lm_head.data;
    const double limit = std::sqrt(6 / static_cast<double>(t.rows + t.cols));
    for (index_t i = 0; i < t.size(); ++i) {
      t.data[i] = static_cast<T>(t.rank == 1 ? t.initial
                                 : is_table  ? numbers.normal(deviation)
                                             : limit * (2 * numbers.uniform() - 1));
    }
  });
  for (tensor<T>* words : {&p.source_words(), &p.target_words()}) {
    std::fill_n(words->data + c.pad_token_id * c.d_model, c.d_model, T(0));
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
