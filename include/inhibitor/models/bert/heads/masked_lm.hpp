// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/models/bert/config.hpp"
#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/nn/tensor.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the masked-LM head keeps, for the N selected positions.
template <class T>
struct masked_lm_activations {
  std::vector<index_t> positions;        // (N) rows of (M, C)
  aligned_buffer<T> selected;            // (N, C) last hidden states
  aligned_buffer<T> transformed;         // (N, C) after vocab_transform
  aligned_buffer<T> activated;           // (N, C) after GELU
  aligned_buffer<T> normed, mean, rstd;  // (N, C), (N), (N) after vocab_layer_norm
  aligned_buffer<T> logits;              // (N, V)
};

/// The head of Hugging Face's ForMaskedLM classes: tensors, or their gradients. Its decoder is tied to the word
/// embeddings (V, C) and has no tensor of its own.
template <class T>
struct masked_lm_head {
  static constexpr const char* name = "masked_lm";
  static constexpr const char* architecture = "ForMaskedLM";           ///< ending of Hugging Face's class names
  static constexpr const char* own_tensor = "vocab_transform.weight";  ///< that tells that a checkpoint has the head

  linear_tensors<T> vocab_transform;  // (C, C)
  norm_tensors<T> vocab_layer_norm;   // (C)
  tensor<T> vocab_projector_bias;     // (V)

  masked_lm_head() = default;
  explicit masked_lm_head(const encoder_config& c)
      : vocab_transform(c.dim, c.dim), vocab_layer_norm(c.dim), vocab_projector_bias(tensor<T>::vector(c.vocab_size)) {}
  template <class Visitor>
  void visit(Visitor&& f) {
    vocab_transform.visit("vocab_transform", f);
    vocab_layer_norm.visit("vocab_layer_norm", f);
    f(std::string("vocab_projector.bias"), vocab_projector_bias);
  }

  /// saved.logits (N, V) of the rows `positions` of last_hidden (M, C): vocab_projector(vocab_layer_norm(gelu(
  /// vocab_transform(hidden)))), the projector's weight being word_embeddings. Only the rows asked for are computed:
  /// (M, V) logits would dwarf the model. Positions must lie in [0, M).
  void forward(masked_lm_activations<T>& saved, std::vector<index_t> positions, const T* last_hidden,
               const tensor<T>& word_embeddings, const encoder_config& c, const executor& workers) const {
    saved.positions = std::move(positions);
    const index_t n = static_cast<index_t>(saved.positions.size());
    for (auto* b : {&saved.selected, &saved.transformed, &saved.activated, &saved.normed}) b->resize(n * c.dim);
    saved.mean.resize(n);
    saved.rstd.resize(n);
    saved.logits.resize(n * c.vocab_size);
    for (index_t i = 0; i < n; ++i) {
      std::copy_n(last_hidden + saved.positions[static_cast<std::size_t>(i)] * c.dim, c.dim,
                  saved.selected.data() + i * c.dim);
    }
    linear_forward(saved.transformed.data(), saved.selected.data(), vocab_transform.weight.data,
                   vocab_transform.bias.data, n, c.dim, c.dim, workers);
    gelu_forward(saved.activated.data(), saved.transformed.data(), n * c.dim, workers);
    layer_norm_forward(saved.normed.data(), saved.mean.data(), saved.rstd.data(), saved.activated.data(),
                       vocab_layer_norm.weight.data, vocab_layer_norm.bias.data, n, c.dim,
                       static_cast<T>(c.layer_norm_epsilon), workers);
    linear_forward(saved.logits.data(), saved.normed.data(), word_embeddings.data, vocab_projector_bias.data, n, c.dim,
                   c.vocab_size, workers);
  }

  /// Mirror of forward: adds to the gradients `d`, to dlast_hidden (M, C) and, for the tied decoder, to
  /// dword_embeddings from dlogits (N, V).
  void backward(masked_lm_head& d, T* dlast_hidden, tensor<T>& dword_embeddings, const T* dlogits,
                const masked_lm_activations<T>& saved, const tensor<T>& word_embeddings, const encoder_config& c,
                const executor& workers) const {
    const index_t n = static_cast<index_t>(saved.positions.size());
    aligned_buffer<T> dnormed(n * c.dim), dactivated(n * c.dim), dtransformed(n * c.dim), dselected(n * c.dim);
    // linear_forward(logits, normed, word_embeddings)
    linear_backward(dnormed.data(), dword_embeddings.data, d.vocab_projector_bias.data, dlogits, saved.normed.data(),
                    word_embeddings.data, n, c.dim, c.vocab_size, workers);
    // layer_norm_forward(normed, activated)
    layer_norm_backward(dactivated.data(), d.vocab_layer_norm.weight.data, d.vocab_layer_norm.bias.data, dnormed.data(),
                        saved.activated.data(), saved.mean.data(), saved.rstd.data(), vocab_layer_norm.weight.data, n,
                        c.dim, workers);
    // gelu_forward(activated, transformed)
    gelu_backward(dtransformed.data(), dactivated.data(), saved.transformed.data(), n * c.dim, workers);
    // linear_forward(transformed, selected, vocab_transform)
    linear_backward(dselected.data(), d.vocab_transform.weight.data, d.vocab_transform.bias.data, dtransformed.data(),
                    saved.selected.data(), vocab_transform.weight.data, n, c.dim, c.dim, workers);
    // selected = last_hidden[positions]
    for (index_t i = 0; i < n; ++i) {
      T* row = dlast_hidden + saved.positions[static_cast<std::size_t>(i)] * c.dim;
      for (index_t k = 0; k < c.dim; ++k) row[k] += dselected[i * c.dim + k];
    }
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
