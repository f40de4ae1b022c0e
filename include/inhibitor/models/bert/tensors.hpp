// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/models/bert/config.hpp"
#include "inhibitor/nn/tensor.hpp"

// All numbers of a DistilBERT or BERT in one buffer. The same type holds parameters, gradients and optimizer moments.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Which heads a model carries on top of the encoder.
struct encoder_heads {
  bool sequence_classification = true;
  bool masked_lm = false;
};

namespace detail {

/// BERT's name of a tensor that DistilBERT has too.
inline std::string bert_tensor_name(std::string name) {
  static constexpr const char* parts[][2] = {{"distilbert.", "bert."},
                                             {"transformer.layer.", "encoder.layer."},
                                             {"attention.q_lin.", "attention.self.query."},
                                             {"attention.k_lin.", "attention.self.key."},
                                             {"attention.v_lin.", "attention.self.value."},
                                             {"attention.out_lin.", "attention.output.dense."},
                                             {"attention.inhibitor_", "attention.self.inhibitor_"},
                                             {"sa_layer_norm.", "attention.output.LayerNorm."},
                                             {"ffn.lin1.", "intermediate.dense."},
                                             {"ffn.lin2.", "output.dense."},
                                             {"output_layer_norm.", "output.LayerNorm."},
                                             {"pre_classifier.", "bert.pooler.dense."},
                                             {"vocab_transform.", "cls.predictions.transform.dense."},
                                             {"vocab_layer_norm.", "cls.predictions.transform.LayerNorm."},
                                             {"vocab_projector.", "cls.predictions."}};
  for (const auto& [theirs, ours] : parts) {
    const std::size_t at = name.find(theirs);
    if (at != std::string::npos) name.replace(at, std::string(theirs).size(), ours);
  }
  return name;
}

}  // namespace detail

/// The tensors of a model: views named as in a DistilBERT checkpoint, laid out in one zero-initialized buffer in
/// `visit` order. BERT fills the same places: its pooler is `pre_classifier`. Copying copies the numbers. The masked-LM
/// decoder is tied to the word embeddings and has no tensor of its own.
template <class T>
class encoder_tensors {
 public:
  struct embeddings_tensors {
    tensor<T> word_embeddings;        // (V, C)
    tensor<T> position_embeddings;    // (P, C)
    tensor<T> token_type_embeddings;  // (type_vocab_size, C), absent when that is 0
    norm_tensors<T> LayerNorm;        // (C)
  };

  embeddings_tensors embeddings;
  std::vector<block_tensors<T>> layer;
  linear_tensors<T> pre_classifier;   // (C, C); BERT's pooler
  linear_tensors<T> classifier;       // (num_labels, C)
  linear_tensors<T> vocab_transform;  // (C, C)
  norm_tensors<T> vocab_layer_norm;   // (C)
  tensor<T> vocab_projector_bias;     // (V)

  encoder_tensors() = default;
  /// All zero. Throws std::invalid_argument when the configuration is invalid.
  explicit encoder_tensors(const encoder_config& config, encoder_heads heads = {}) : config_(config), heads_(heads) {
    config_.validate();
    lay_out();
  }
  encoder_tensors(const encoder_tensors& other) : config_(other.config_), heads_(other.heads_), values_(other.values_) {
    if (values_.size() > 0) lay_out();
  }
  encoder_tensors(encoder_tensors&&) noexcept = default;
  encoder_tensors& operator=(const encoder_tensors& other) { return *this = encoder_tensors(other); }
  encoder_tensors& operator=(encoder_tensors&&) noexcept = default;

  const encoder_config& config() const { return config_; }
  encoder_heads heads() const { return heads_; }
  /// Changes what is not a size: dropout rates, the options of the mechanism and how it is computed.
  void set_options(const encoder_config& config) {
    config_.dropout = config.dropout;
    config_.attention_dropout = config.attention_dropout;
    config_.seq_classif_dropout = config.seq_classif_dropout;
    config_.inhibitor = config.inhibitor;
    config_.add_only = config.add_only;
  }

  /// The whole buffer as one flat array, in `visit` order without gaps.
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  index_t size() const { return values_.size(); }
  void fill_zero() { values_.fill_zero(); }

  /// Calls f(name, tensor&) for every tensor, in a fixed order; `name` is the Hugging Face checkpoint name of the
  /// model's family, and our own name for the inhibitor's scalars.
  template <class Visitor>
  void visit(Visitor&& f) {
    if (config_.family == model_family::bert) {
      visit_as_distilbert([&](const std::string& name, tensor<T>& t) { f(detail::bert_tensor_name(name), t); });
    } else {
      visit_as_distilbert(f);
    }
  }
  /// As above for reading: f(name, const tensor<const T>&).
  template <class Visitor>
  void visit(Visitor&& f) const {
    const_cast<encoder_tensors*>(this)->visit([&](const std::string& name, tensor<T>& t) {
      const tensor<const T> read_only{t.data, t.rows, t.cols, t.rank};
      f(name, read_only);
    });
  }

 private:
  template <class Visitor>
  void visit_as_distilbert(Visitor&& f) {
    f(std::string("distilbert.embeddings.word_embeddings.weight"), embeddings.word_embeddings);
    f(std::string("distilbert.embeddings.position_embeddings.weight"), embeddings.position_embeddings);
    if (config_.type_vocab_size > 0) {
      f(std::string("distilbert.embeddings.token_type_embeddings.weight"), embeddings.token_type_embeddings);
    }
    embeddings.LayerNorm.visit("distilbert.embeddings.LayerNorm", f);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      layer[i].visit("distilbert.transformer.layer." + std::to_string(i), f);
    }
    if (heads_.sequence_classification) {
      pre_classifier.visit("pre_classifier", f);
      classifier.visit("classifier", f);
    }
    if (heads_.masked_lm) {
      vocab_transform.visit("vocab_transform", f);
      vocab_layer_norm.visit("vocab_layer_norm", f);
      f(std::string("vocab_projector.bias"), vocab_projector_bias);
    }
  }

  void lay_out() {
    const encoder_config& c = config_;
    embeddings = {tensor<T>::matrix(c.vocab_size, c.dim), tensor<T>::matrix(c.max_position_embeddings, c.dim),
                  tensor<T>::matrix(c.type_vocab_size, c.dim), norm_tensors<T>(c.dim)};
    layer.clear();
    for (index_t i = 0; i < c.n_layers; ++i) {
      layer.emplace_back(c.dim, c.n_heads, c.hidden_dim, c.layer_attention(i) == attention_kind::inhibitor);
    }
    pre_classifier = linear_tensors<T>(c.dim, c.dim);
    classifier = linear_tensors<T>(c.num_labels, c.dim);
    vocab_transform = linear_tensors<T>(c.dim, c.dim);
    vocab_layer_norm = norm_tensors<T>(c.dim);
    vocab_projector_bias = tensor<T>::vector(c.vocab_size);
    index_t total = 0;
    visit([&](const std::string&, tensor<T>& t) { total += t.size(); });
    values_.resize(total);
    T* next = values_.data();
    visit([&](const std::string&, tensor<T>& t) {
      t.data = next;
      next += t.size();
    });
  }

  encoder_config config_;
  encoder_heads heads_;
  aligned_buffer<T> values_;
};

namespace detail {
inline bool name_ends_with(const std::string& name, const std::string& suffix) {
  return name.size() >= suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
}
/// LayerNorm tensors: ...LayerNorm, sa_layer_norm, output_layer_norm, vocab_layer_norm.
inline bool is_norm_tensor(const std::string& name) {
  return name.find("LayerNorm.") != std::string::npos || name.find("layer_norm.") != std::string::npos;
}
inline bool is_inhibitor_scalar(const std::string& name) { return name.find(".inhibitor_") != std::string::npos; }
}  // namespace detail

/// Initial values as Hugging Face's DistilBERT draws them: weights normal with standard deviation initializer_range,
/// biases 0, LayerNorm 1 and 0, the padding row of the word embeddings 0. Inhibitor scalars start as in the authors'
/// code (score scale 1, shift 0.5, output scale 1). The same seed gives the same numbers on every platform.
template <class T>
void initialize(encoder_tensors<T>& parameters, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  const auto uniform = [&] { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; };
  const double deviation = parameters.config().initializer_range;
  parameters.visit([&](const std::string& name, tensor<T>& t) {
    const bool is_weight = detail::name_ends_with(name, ".weight");
    T fill = 0;
    if (detail::is_norm_tensor(name)) {
      fill = is_weight ? T(1) : T(0);
    } else if (detail::is_inhibitor_scalar(name)) {
      fill = detail::name_ends_with(name, "_shift") ? T(0.5) : T(1);
    } else if (is_weight) {
      for (index_t i = 0; i < t.size(); ++i) {
        // Box-Muller, one value of the pair: std::normal_distribution differs between standard libraries.
        const double radius = std::sqrt(-2 * std::log(uniform()));
        t.data[i] = static_cast<T>(deviation * radius * std::cos(6.283185307179586 * uniform()));
      }
      return;
    }
    for (index_t i = 0; i < t.size(); ++i) t.data[i] = fill;
  });
  T* pad = parameters.embeddings.word_embeddings.data + parameters.config().pad_token_id * parameters.config().dim;
  for (index_t k = 0; k < parameters.config().dim; ++k) pad[k] = 0;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
