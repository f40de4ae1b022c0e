// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/nn/losses.hpp"

// What a training step minimizes: forward pass, loss and backward pass of one batch, gradients added to
// `student.gradients`. The distillation objectives are those of InhibiDistilbert (arXiv 2503.15983): E1, task-agnostic,
// by layer_context_objective and hidden_state_objective; E2, task-specific, by task_distillation_objective. Teachers
// run without dropout and get no gradient.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Work space of one model in training: gradients and activations, reused from batch to batch.
template <class T>
struct training_state {
  explicit training_state(const encoder_tensors<T>& parameters)
      : gradients(parameters.config(), parameters.has_heads()) {}

  encoder_tensors<T> gradients;
  encoder_activations<T> activations;
  encoder_activation_gradients<T> dactivations;
  classification_activations<T> head;
};

/// Work space of a model that only runs forward.
template <class T>
struct inference_state {
  encoder_activations<T> activations;
  classification_activations<T> head;
};

/// The teacher layer that each student layer is compared with; empty: the one of the same index. A deeper teacher needs
/// one, for example distilbert_layers() of models/bert/initialize_from.hpp.
using layer_map = std::vector<index_t>;

namespace detail {

inline std::size_t teacher_layer(const layer_map& map, index_t student_layer) {
  return static_cast<std::size_t>(map.empty() ? student_layer : map[static_cast<std::size_t>(student_layer)]);
}

/// Throws std::invalid_argument unless hidden states of the two models can be compared layer by layer.
inline void check_layer_map(const layer_map& map, const encoder_config& student, const encoder_config& teacher) {
  check(student.dim == teacher.dim, [&] {
    return "distillation: the student is " + std::to_string(student.dim) + " wide and the teacher " +
           std::to_string(teacher.dim) + "; expected the same width";
  });
  const bool fits = map.empty() ? student.n_layers == teacher.n_layers
                                : static_cast<index_t>(map.size()) == student.n_layers &&
                                      std::all_of(map.begin(), map.end(), [&](index_t layer) {
                                        return layer >= 0 && layer < teacher.n_layers;
                                      });
  check(fits, [&] {
    return "distillation: the student has " + std::to_string(student.n_layers) + " layers and the teacher " +
           std::to_string(teacher.n_layers) + "; expected one existing teacher layer per layer of the student";
  });
}

}  // namespace detail

/// Weights of task_distillation_objective.
struct distillation_weights {
  double kl = 0.5;           ///< temperature-scaled KL to the teacher's probabilities; of scores, squared error
  double hidden = 0.5;       ///< MSE of the last hidden state, over real tokens
  double label = 0.5;        ///< the loss of the head on labels or scores
  double temperature = 2.0;  ///< T of the KL term
};

/// The loss of the classification head on the targets of a batch. Returns the mean loss.
template <class T>
double classification_objective(training_state<T>& student, const encoder_tensors<T>& p, const token_view& tokens,
                                const head_targets& targets, const dropout_mode& mode, const executor& workers) {
  encoder_forward(student.activations, tokens, p, mode, workers);
  classification_forward(student.head, student.activations, tokens, p, mode, workers);
  student.dactivations.reset(p.config(), tokens);
  aligned_buffer<T> dlogits(student.head.logits.size());
  const double loss =
      head_loss(dlogits.data(), student.head.logits.data(), targets, tokens.batch, p.config().num_labels);
  classification_backward(student.gradients, student.dactivations, dlogits.data(), student.head, tokens, p, mode,
                          workers);
  encoder_backward(student.gradients, student.dactivations, student.activations, tokens, p, mode, workers);
  return loss;
}

/// E1, layer-wise stage: mean squared error between the attention contexts (before out_lin) of layer `layer` of student
/// and teacher over real tokens. Adds gradients for q, k, v and the scalars of that layer alone. Returns the loss.
template <class T>
double layer_context_objective(training_state<T>& student, const encoder_tensors<T>& p, inference_state<T>& teacher,
                               const encoder_tensors<T>& teacher_p, index_t layer, const token_view& tokens,
                               const dropout_mode& mode, const executor& workers, const layer_map& map = {}) {
  detail::check_layer_map(map, p.config(), teacher_p.config());
  const std::size_t teacher_layer = detail::teacher_layer(map, layer);
  encoder_forward_to_context(teacher.activations, static_cast<index_t>(teacher_layer), tokens, teacher_p, {}, workers);
  encoder_forward_to_context(student.activations, layer, tokens, p, mode, workers);
  student.dactivations.reset(p.config(), tokens);
  const auto l = static_cast<std::size_t>(layer);
  const double loss = masked_mse(
      student.dactivations.context[l].data(), student.activations.block[l].mixing.context.data(),
      teacher.activations.block[teacher_layer].mixing.context.data(), tokens.key_mask, tokens.rows(), p.config().dim);
  layer_context_backward(student.gradients, student.dactivations, layer, student.activations, tokens, p, mode, workers);
  return loss;
}

/// E1, full-layer stage: sum over the layers of the mean squared error of their outputs over real tokens; the embedding
/// output is left out, as in the authors' code. Throws std::invalid_argument when the widths differ or `map` does not
/// name one teacher layer per layer of the student. Returns the loss.
template <class T>
double hidden_state_objective(training_state<T>& student, const encoder_tensors<T>& p, inference_state<T>& teacher,
                              const encoder_tensors<T>& teacher_p, const token_view& tokens, const dropout_mode& mode,
                              const executor& workers, const layer_map& map = {}) {
  detail::check_layer_map(map, p.config(), teacher_p.config());
  encoder_forward(teacher.activations, tokens, teacher_p, {}, workers);
  encoder_forward(student.activations, tokens, p, mode, workers);
  student.dactivations.reset(p.config(), tokens);
  double loss = 0;
  for (std::size_t l = 1; l < student.activations.hidden.size(); ++l) {
    const std::size_t teacher_layer = detail::teacher_layer(map, static_cast<index_t>(l) - 1);
    loss += masked_mse(student.dactivations.hidden[l].data(), student.activations.hidden[l].data(),
                       teacher.activations.hidden[teacher_layer + 1].data(), tokens.key_mask, tokens.rows(),
                       p.config().dim);
  }
  encoder_backward(student.gradients, student.dactivations, student.activations, tokens, p, mode, workers);
  return loss;
}

/// E2: weights.kl * KL at temperature T, for scores the squared error of the two models' scores, + weights.hidden * MSE
/// of the last hidden state + weights.label * loss on the targets of the batch. Returns the weighted sum.
template <class T>
double task_distillation_objective(training_state<T>& student, const encoder_tensors<T>& p, inference_state<T>& teacher,
                                   const encoder_tensors<T>& teacher_p, const distillation_weights& weights,
                                   const token_view& tokens, const head_targets& targets, const dropout_mode& mode,
                                   const executor& workers) {
  encoder_forward(teacher.activations, tokens, teacher_p, {}, workers);
  classification_forward(teacher.head, teacher.activations, tokens, teacher_p, {}, workers);
  encoder_forward(student.activations, tokens, p, mode, workers);
  classification_forward(student.head, student.activations, tokens, p, mode, workers);
  student.dactivations.reset(p.config(), tokens);
  const index_t classes = p.config().num_labels;
  aligned_buffer<T> dlogits(student.head.logits.size());
  const T* logits = student.head.logits.data();
  const T* teacher_logits = teacher.head.logits.data();
  const double soft_loss = targets.labels != nullptr
                               ? distillation_kl(dlogits.data(), logits, teacher_logits, tokens.batch, classes,
                                                 weights.temperature, weights.kl)
                               : mean_squared_error(dlogits.data(), logits, teacher_logits, tokens.batch, weights.kl);
  double loss = weights.kl * soft_loss;
  loss +=
      weights.hidden * masked_mse(student.dactivations.hidden.back().data(), student.activations.hidden.back().data(),
                                  teacher.activations.hidden.back().data(), tokens.key_mask, tokens.rows(),
                                  p.config().dim, weights.hidden);
  loss += weights.label * head_loss(dlogits.data(), logits, targets, tokens.batch, classes, weights.label);
  classification_backward(student.gradients, student.dactivations, dlogits.data(), student.head, tokens, p, mode,
                          workers);
  encoder_backward(student.gradients, student.dactivations, student.activations, tokens, p, mode, workers);
  return loss;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
