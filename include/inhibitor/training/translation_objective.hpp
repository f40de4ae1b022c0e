// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "inhibitor/models/seq2seq/encoder_decoder.hpp"
#include "inhibitor/nn/label_smoothing.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Work space of an encoder-decoder in training: gradients and activations, reused from batch to batch.
template <class T>
struct translation_state {
  explicit translation_state(const seq2seq_tensors<T>& parameters) : gradients(parameters.config()) {}

  seq2seq_tensors<T> gradients;
  seq2seq_activations<T> activations;
  seq2seq_activation_gradients<T> dactivations;
  output_activations<T> output;
};

/// Forward pass and loss of a batch with its labels (B, T), which are not padding where they count: sums over them,
/// nothing is divided. state.output.logits is overwritten with the gradient of weight * loss.
template <class T>
smoothed_loss translation_loss(translation_state<T>& state, const seq2seq_tensors<T>& p, const pair_view& tokens,
                               const std::int32_t* labels, const label_smoothing& smoothing, double weight,
                               const dropout_mode& mode, const executor& workers) {
  const auto padding = static_cast<std::int32_t>(p.config().pad_token_id);
  seq2seq_forward(state.activations, tokens, p, mode, workers);
  std::vector<std::int32_t> selected;
  state.output.positions.clear();
  for (index_t i = 0; i < tokens.target.rows(); ++i) {
    if (labels[i] == padding) continue;
    state.output.positions.push_back(i);
    selected.push_back(labels[i]);
  }
  seq2seq_output_forward(state.output, state.activations, p, workers);
  return smoothed_cross_entropy(state.output.logits.data(), selected.data(), static_cast<index_t>(selected.size()),
                                p.config().target_vocab_size(), padding, smoothing, weight, workers);
}

/// The same with the backward pass: adds the gradient of weight * loss to state.gradients. A step that is made of
/// several batches divides by the labels of all of them: weight = 1 / their number.
template <class T>
smoothed_loss translation_objective(translation_state<T>& state, const seq2seq_tensors<T>& p, const pair_view& tokens,
                                    const std::int32_t* labels, const label_smoothing& smoothing, double weight,
                                    const dropout_mode& mode, const executor& workers) {
  const smoothed_loss loss = translation_loss(state, p, tokens, labels, smoothing, weight, mode, workers);
  state.dactivations.reset(p.config(), tokens);
  // seq2seq_output_forward(logits)
  seq2seq_output_backward(state.gradients, state.dactivations, state.output.logits.data(), state.output, p, workers);
  // seq2seq_forward(last)
  seq2seq_backward(state.gradients, state.dactivations, state.activations, tokens, p, mode, workers);
  return loss;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
