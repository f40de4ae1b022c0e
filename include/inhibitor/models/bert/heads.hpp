// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "inhibitor/models/bert/encoder.hpp"

// The heads of a model on what encoder_forward left behind. All throw std::invalid_argument for a model without the
// head.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// sequence_classification_head::forward: saved.logits (B, num_labels).
template <class T>
void classification_forward(classification_activations<T>& saved, const encoder_activations<T>& a,
                            const token_view& tokens, const encoder_tensors<T>& p, const dropout_mode& mode,
                            const executor& workers) {
  p.template head<sequence_classification_head>().forward(saved, a.hidden.back().data(), tokens, p.config(), mode,
                                                          workers);
}

/// Mirror of classification_forward: adds to `dp` and to da.hidden[n_layers] from dlogits (B, num_labels).
template <class T>
void classification_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, const T* dlogits,
                             const classification_activations<T>& saved, const token_view& tokens,
                             const encoder_tensors<T>& p, const dropout_mode& mode, const executor& workers) {
  p.template head<sequence_classification_head>().backward(dp.template head<sequence_classification_head>(),
                                                           da.hidden.back().data(), dlogits, saved, tokens, p.config(),
                                                           mode, workers);
}

/// masked_lm_head::forward: saved.logits (N, V) of the rows `positions` (indices into batch * length).
template <class T>
void masked_lm_forward(masked_lm_activations<T>& saved, std::vector<index_t> positions, const encoder_activations<T>& a,
                       const encoder_tensors<T>& p, const executor& workers) {
  p.template head<masked_lm_head>().forward(saved, std::move(positions), a.hidden.back().data(),
                                            p.embeddings.word_embeddings, p.config(), workers);
}

/// Mirror of masked_lm_forward: adds to `dp` (the tied decoder's gradient to the word embeddings) and to
/// da.hidden[n_layers] from dlogits (N, V).
template <class T>
void masked_lm_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, const T* dlogits,
                        const masked_lm_activations<T>& saved, const encoder_tensors<T>& p, const executor& workers) {
  p.template head<masked_lm_head>().backward(dp.template head<masked_lm_head>(), da.hidden.back().data(),
                                             dp.embeddings.word_embeddings, dlogits, saved,
                                             p.embeddings.word_embeddings, p.config(), workers);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
