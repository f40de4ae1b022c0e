// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/attention/params.hpp"
#include "inhibitor/base/check.hpp"

// The numbers that define an encoder, named as in the config.json of a DistilBERT. BERT differs in four things: token
// types, dropout on the attention output, tanh in the head, and the names of its tensors and keys.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Which checkpoints a model is read from and written as.
enum class model_family { distilbert, bert };

/// Sizes and options of a model. Defaults are DistilBERT-base's. `attention` has one entry per layer; empty means dot
/// product everywhere.
struct encoder_config {
  model_family family = model_family::distilbert;
  index_t vocab_size = 30522;
  index_t max_position_embeddings = 512;
  index_t n_layers = 6;
  index_t n_heads = 12;
  index_t dim = 768;
  index_t hidden_dim = 3072;
  index_t type_vocab_size = 0;       ///< rows of the token-type table; 0: none, as in every DistilBERT
  double dropout = 0.1;              ///< embeddings and feed-forward output, in BERT the attention output too
  double attention_dropout = 0.1;    ///< share of keys dropped per example (see dropout_keys)
  double seq_classif_dropout = 0.2;  ///< before the classifier
  double initializer_range = 0.02;   ///< standard deviation of initial weights
  double layer_norm_epsilon = 1e-12;
  index_t pad_token_id = 0;
  index_t num_labels = 2;
  std::vector<attention_kind> attention;
  inhibitor_options inhibitor;
  /// Inhibitor layers compute without multiplication: their scales are in the projections. Set by fold_scales, read
  /// from no file.
  bool add_only = false;

  index_t head_size() const { return dim / n_heads; }
  attention_kind layer_attention(index_t layer) const {
    return attention.empty() ? attention_kind::dot_product : attention[static_cast<std::size_t>(layer)];
  }

  /// Uses `kind` in every layer.
  void set_attention(attention_kind kind) { attention.assign(static_cast<std::size_t>(n_layers), kind); }

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
    positive(hidden_dim, "hidden_dim");
    positive(num_labels, "num_labels");
    check(type_vocab_size >= 0 && (family == model_family::bert || type_vocab_size == 0), [&] {
      return "type_vocab_size is " + std::to_string(type_vocab_size) + "; expected " +
             (family == model_family::bert ? "at least 0" : "0: DistilBERT has no token types");
    });
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
