// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inhibitor/models/bert/embeddings.hpp"
#include "inhibitor/models/bert/head_registry.hpp"
#include "inhibitor/models/parameters.hpp"
#include "inhibitor/nn/transformer_block.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The boxes of a DistilBERT or BERT: embeddings, layers, heads. Their tensors are named as in a DistilBERT checkpoint;
/// what other checkpoints call them is in models/bert/tensor_names.hpp.
template <class T>
class bert_model {
 public:
  bert_embeddings<T> embeddings;
  std::vector<transformer_block<T>> layer;
  std::vector<bert_head<T>> heads;

  bert_model() = default;
  /// Throws std::invalid_argument when the configuration is invalid or a head or mixer has no such name.
  explicit bert_model(const encoder_config& config, const head_names& names = {sequence_classification_head<T>::name})
      : config_(config) {
    config_.validate();
    embeddings = bert_embeddings<T>(config_);
    for (index_t i = 0; i < config_.n_layers; ++i) {
      layer.emplace_back(config_.layer_attention(i), config_.dim, config_.n_heads, config_.intermediate_dim, config_);
    }
    heads = make_heads<T>(names, config_);
  }

  const encoder_config& config() const { return config_; }
  /// The names of its heads.
  head_names has_heads() const {
    head_names names;
    for (const bert_head<T>& h : heads) {
      names.emplace_back(std::visit([](const auto& head) { return std::decay_t<decltype(head)>::name; }, h));
    }
    return names;
  }
  /// A head by its type, as in find_head<masked_lm_head>(), or null.
  template <template <class> class Head>
  Head<T>* find_head() {
    for (bert_head<T>& h : heads) {
      if (auto* found = std::get_if<Head<T>>(&h)) return found;
    }
    return nullptr;
  }
  template <template <class> class Head>
  const Head<T>* find_head() const {
    return const_cast<bert_model*>(this)->template find_head<Head>();
  }
  /// The same, throwing std::invalid_argument where there is none.
  template <template <class> class Head>
  Head<T>& head() {
    auto* found = find_head<Head>();
    check(found != nullptr, [] { return std::string("the model has no head ") + Head<T>::name; });
    return *found;
  }
  template <template <class> class Head>
  const Head<T>& head() const {
    return const_cast<bert_model*>(this)->template head<Head>();
  }

  /// Changes what is not a size: dropout rates, the options of the mixers.
  void set_options(const encoder_config& config) {
    config_.dropout = config.dropout;
    config_.attention_dropout = config.attention_dropout;
    config_.seq_classif_dropout = config.seq_classif_dropout;
    config_.inhibitor = config.inhibitor;
    config_.add_only = config.add_only;
  }

  /// Calls f(name, tensor&) for every tensor, in a fixed order.
  template <class Visitor>
  void visit(Visitor&& f) {
    embeddings.visit("distilbert.embeddings", f);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      layer[i].visit("distilbert.transformer.layer." + std::to_string(i), f);
    }
    for (bert_head<T>& h : heads) std::visit([&](auto& head) { head.visit(f); }, h);
  }

 private:
  encoder_config config_;
};

/// All numbers of a DistilBERT or BERT.
template <class T>
using encoder_tensors = parameters<T, bert_model<T>>;

/// Draws the values of a new model (draw_initial_values); the padding row of the word embeddings is 0.
template <class T>
void initialize(encoder_tensors<T>& p, std::uint64_t seed) {
  const encoder_config& c = p.config();
  draw_initial_values(p, c.initializer_range, seed);
  std::fill_n(p.embeddings.word_embeddings.data + c.pad_token_id * c.dim, c.dim, T(0));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
