// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/nn/positions.hpp"
#include "inhibitor/nn/sublayers.hpp"

// The numbers that define an encoder-decoder, named as in the config.json of Hugging Face's Marian and M2M100.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Where an encoder-decoder mixes tokens.
enum class mixing_place { encoder_self, decoder_self, cross };

/// Sizes and options of a model. Defaults are a small one for a joint vocabulary; norms after the sums make it a
/// Marian, norms before them an M2M100.
struct seq2seq_config : mixer_options {
  index_t vocab_size = 8000;              ///< of the source
  index_t decoder_vocab_size = 0;         ///< of the target; 0: that of the source
  bool share_embeddings = true;           ///< one table for source and target, which then have one vocabulary
  bool tie_output = true;                 ///< the output layer is the target's embedding table
  index_t max_position_embeddings = 256;  ///< the longest source and target, with their special tokens
  position_kind positions = position_kind::halves;
  bool scale_embedding = true;  ///< words count sqrt(d_model) times
  norm_placement norm = norm_placement::post;
  index_t d_model = 128;
  index_t encoder_layers = 4, decoder_layers = 4;
  index_t encoder_heads = 4, decoder_heads = 4;
  index_t encoder_ffn_dim = 256, decoder_ffn_dim = 256;
  activation between = activation::relu;  ///< inside the feed-forward networks
  double dropout = 0.1;                   ///< on embeddings and what every sublayer adds
  double layer_norm_epsilon = 1e-5;
  index_t pad_token_id = 0;            ///< of source and target
  index_t eos_token_id = 1;            ///< of the target
  index_t decoder_start_token_id = 0;  ///< what decoding begins with
  /// The mixer of each layer by name (nn/mixer.hpp), place by place; empty: dot product.
  std::vector<std::string> encoder_attention, decoder_attention, cross_attention;

  index_t target_vocab_size() const { return decoder_vocab_size > 0 ? decoder_vocab_size : vocab_size; }
  index_t layers_of(mixing_place place) const {
    return place == mixing_place::encoder_self ? encoder_layers : decoder_layers;
  }
  const std::vector<std::string>& attention_of(mixing_place place) const {
    return place == mixing_place::encoder_self   ? encoder_attention
           : place == mixing_place::decoder_self ? decoder_attention
                                                 : cross_attention;
  }
  std::vector<std::string>& attention_of(mixing_place place) {
    return place == mixing_place::encoder_self   ? encoder_attention
           : place == mixing_place::decoder_self ? decoder_attention
                                                 : cross_attention;
  }
  std::string mixer_of(mixing_place place, index_t layer) const {
    const std::vector<std::string>& names = attention_of(place);
    return names.empty() ? std::string("dot_product") : names[static_cast<std::size_t>(layer)];
  }
  /// Uses the mixer of this name in every layer of a place.
  void set_attention(mixing_place place, const std::string& name) {
    attention_of(place).assign(static_cast<std::size_t>(layers_of(place)), name);
  }

  /// Throws std::invalid_argument naming the field that does not make sense.
  void validate() const {
    const auto n = [](index_t x) { return std::to_string(x); };
    const auto positive = [&](index_t value, const char* name) {
      check(value > 0, [&] { return std::string(name) + " is " + n(value) + "; expected at least 1"; });
    };
    positive(vocab_size, "vocab_size");
    positive(max_position_embeddings, "max_position_embeddings");
    positive(d_model, "d_model");
    positive(encoder_layers, "encoder_layers");
    positive(decoder_layers, "decoder_layers");
    positive(encoder_heads, "encoder_heads");
    positive(decoder_heads, "decoder_heads");
    positive(encoder_ffn_dim, "encoder_ffn_dim");
    positive(decoder_ffn_dim, "decoder_ffn_dim");
    for (const auto& [heads, name] : {std::pair(encoder_heads, "encoder_heads"), {decoder_heads, "decoder_heads"}}) {
      check(d_model % heads == 0, [&, heads = heads, name = name] {
        return "d_model is " + n(d_model) + "; expected a multiple of " + name + " = " + n(heads);
      });
    }
    check(!is_sinusoidal(positions) || d_model % 2 == 0,
          [&] { return "d_model is " + n(d_model) + "; expected an even number with sinusoidal positions"; });
    check(!share_embeddings || target_vocab_size() == vocab_size, [&] {
      return "decoder_vocab_size is " + n(decoder_vocab_size) + "; expected vocab_size = " + n(vocab_size) +
             " where source and target share embeddings";
    });
    const auto token = [&](index_t id, index_t end, const char* name, const char* limit) {
      check(id >= 0 && id < end,
            [&] { return std::string(name) + " is " + n(id) + "; expected an id below " + limit + " = " + n(end); });
    };
    token(pad_token_id, vocab_size, "pad_token_id", "vocab_size");
    token(pad_token_id, target_vocab_size(), "pad_token_id", "decoder_vocab_size");
    token(eos_token_id, target_vocab_size(), "eos_token_id", "decoder_vocab_size");
    token(decoder_start_token_id, target_vocab_size(), "decoder_start_token_id", "decoder_vocab_size");
    check(eos_token_id != pad_token_id, "eos_token_id is pad_token_id; expected another token");
    check(dropout >= 0 && dropout < 1,
          [&] { return "dropout is " + std::to_string(dropout) + "; expected 0 <= p < 1"; });
    check(layer_norm_epsilon > 0 && layer_norm_epsilon < 1,
          [&] { return "layer_norm_epsilon is " + std::to_string(layer_norm_epsilon) + "; expected 0 < epsilon < 1"; });
    check(inhibitor.center != centering::all_keys,
          "inhibitor_center is all_keys; expected attended_keys or none, since a mean over all keys tells a token of "
          "its future and of the padding");
    for (const auto& [place, name] : {std::pair(mixing_place::encoder_self, "encoder_attention"),
                                      {mixing_place::decoder_self, "decoder_attention"},
                                      {mixing_place::cross, "cross_attention"}}) {
      const auto entries = static_cast<index_t>(attention_of(place).size());
      check(entries == 0 || entries == layers_of(place), [&, place = place, name = name] {
        return std::string(name) + " has " + n(entries) + " entries; expected one per layer, " + n(layers_of(place));
      });
    }
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
