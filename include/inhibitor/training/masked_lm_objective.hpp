// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/nn/label_smoothing.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Work space of a masked-LM in training: gradients and activations, reused from batch to batch.
template <class T>
struct masked_lm_state {
  explicit masked_lm_state(const encoder_tensors<T>& parameters)
      : gradients(parameters.config(), parameters.has_heads()) {}

  encoder_tensors<T> gradients;
  encoder_activations<T> activations;
  encoder_activation_gradients<T> dactivations;
  masked_lm_activations<T> head;
};

namespace detail {

/// Turns the logits of state.head (N, V) into the gradient of weight * the sum over its rows of -log p(label), which is returned.
template <class T>
double masked_lm_logits_loss(masked_lm_state<T>& state, const encoder_tensors<T>& p,
                             const std::vector<std::int32_t>& labels, double weight, const executor& workers) {
  return smoothed_cross_entropy(state.head.logits.data(), labels.data(), static_cast<index_t>(labels.size()),
                                p.config().vocab_size, no_padding_id, no_smoothing, weight, workers)
      .loss;
}

}  // namespace detail

/// Sum of -log p(label) over the masked positions (N), rows of the batch, whose tokens were `labels` (N). Forward pass
/// only.
template <class T>
double masked_lm_loss(masked_lm_state<T>& state, const encoder_tensors<T>& p, const token_view& tokens,
                      const std::vector<index_t>& positions, const std::vector<std::int32_t>& labels,
                      const executor& workers) {
  encoder_forward(state.activations, tokens, p, {}, workers);
  masked_lm_forward(state.head, positions, state.activations, p, workers);
  return detail::masked_lm_logits_loss(state, p, labels, 1, workers);
}

/// The same, and adds the gradient of weight * that sum to `state.gradients`. A step of several batches gives each the
/// weight 1 / (masked tokens of them all), so that its gradient is that of the mean over its tokens however they were
/// cut.
template <class T>
double masked_lm_objective(masked_lm_state<T>& state, const encoder_tensors<T>& p, const token_view& tokens,
                           const std::vector<index_t>& positions, const std::vector<std::int32_t>& labels,
                           double weight, const dropout_mode& mode, const executor& workers) {
  encoder_forward(state.activations, tokens, p, mode, workers);
  masked_lm_forward(state.head, positions, state.activations, p, workers);
  const double loss = detail::masked_lm_logits_loss(state, p, labels, weight, workers);
  state.dactivations.reset(p.config(), tokens);
  masked_lm_backward(state.gradients, state.dactivations, state.head.logits.data(), state.head, p, workers);
  encoder_backward(state.gradients, state.dactivations, state.activations, tokens, p, mode, workers);
  return loss;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
