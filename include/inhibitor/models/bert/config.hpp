// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/nn/mixers/mixing.hpp"

// The numbers that define an encoder, named as in the config.json of a DistilBERT.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Which checkpoints a model is read from and written as.
enum class model_family { distilbert, bert };

/// What follows the first layer of the classification head.
enum class pooler_activation { relu, tanh };

/// Sizes and options of a model. Defaults are DistilBERT-base's.
struct encoder_config : mixer_options {
  model_family family = model_family::distilbert;  ///< asked by readers and writers of files alone; see set_family
  index_t vocab_size = 30522;
  index_t max_position_embeddings = 512;
  index_t n_layers = 6;
  index_t n_heads = 12;
  index_t dim = 768;
  index_t intermediate_dim = 3072;      ///< width of the feed-forward network
  index_t type_vocab_size = 0;          ///< rows of the token-type table; 0: none, as in every DistilBERT
  double dropout = 0.1;                 ///< on the embeddings and the feed-forward output
  bool drops_attention_output = false;  ///< the same dropout on the attention output
  pooler_activation pooler = pooler_activation::relu;
  double attention_dropout = 0.1;    ///< share of keys dropped per example (see dropout_keys)
  double seq_classif_dropout = 0.2;  ///< before the classifier
  double initializer_range = 0.02;   ///< standard deviation of initial weights
  double layer_norm_epsilon = 1e-12;
  index_t pad_token_id = 0;
  index_t num_labels = 2;
  std::vector<std::string> attention;  ///< the mixer of each layer by name (nn/mixer.hpp); empty: dot product

  index_t head_size() const { return dim / n_heads; }
  std::string layer_attention(index_t layer) const {
    return attention.empty() ? std::string("dot_product") : attention[static_cast<std::size_t>(layer)];
  }

  /// Uses the mixer of this name in every layer.
  void set_attention(const std::string& name) { attention.assign(static_cast<std::size_t>(n_layers), name); }

  /// Makes the model one of `f`: BERT drops the attention output and has tanh in its head, DistilBERT neither.
  void set_family(model_family f) {
    family = f;
    drops_attention_output = f == model_family::bert;
    pooler = f == model_family::bert ? pooler_activation::tanh : pooler_activation::relu;
  }

  /// Throws std::invalid_argument naming the field that does not make sense.
  void validate() const {
    const auto positive = [](index_t value, const char* name) {
      check(value > 0, [&] { return std::string(name) + " is " + std::to_string(value) + "; expected at least 1"; });
    };
    positive(vocab_size, "vocab_size");
    positive(max_position_embeddings, "max_position_embeddings");
    positive(n_layers, "n_layers");
    positive(n_heads, "n_heads");
    positive(dim, "dim");
    positive(intermediate_dim, "intermediate_dim");
    positive(num_labels, "num_labels");
    check(type_vocab_size >= 0,
          [&] { return "type_vocab_size is " + std::to_string(type_vocab_size) + "; expected at least 0"; });
    check(layer_norm_epsilon > 0 && layer_norm_epsilon < 1,
          [&] { return "layer_norm_epsilon is " + std::to_string(layer_norm_epsilon) + "; expected 0 < epsilon < 1"; });
    check(dim % n_heads == 0, [&] {
      return "dim is " + std::to_string(dim) + "; expected a multiple of n_heads = " + std::to_string(n_heads);
    });
    check(pad_token_id >= 0 && pad_token_id < vocab_size, [&] {
      return "pad_token_id is " + std::to_string(pad_token_id) +
             "; expected an id below vocab_size = " + std::to_string(vocab_size);
    });
    check(attention.empty() || static_cast<index_t>(attention.size()) == n_layers, [&] {
      return "attention has " + std::to_string(attention.size()) +
             " entries; expected one per layer, n_layers = " + std::to_string(n_layers);
    });
    const auto probability = [](double value, const char* name) {
      check(value >= 0 && value < 1,
            [&] { return std::string(name) + " is " + std::to_string(value) + "; expected 0 <= p < 1"; });
    };
    probability(dropout, "dropout");
    probability(attention_dropout, "attention_dropout");
    probability(seq_classif_dropout, "seq_classif_dropout");
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
