// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/training/masked_lm_objective.hpp"
#include "inhibitor/training/objectives.hpp"

// The same for models: forward, backward and inference of an encoder are compiled once per build, in model_float.cpp and
// model_double.cpp, instead of once per program and test.

/// Everything of one number type; PREFIX is `extern` for declarations and empty for definitions.
#define INHIBITOR_MODEL_OF(PREFIX, T)                                                                                \
  PREFIX template void embeddings_forward(encoder_activations<T>&, const token_view&, const encoder_tensors<T>&,     \
                                          const dropout_mode&, const executor&);                                     \
  PREFIX template void layer_context_forward(encoder_activations<T>&, index_t, const token_view&,                    \
                                             const encoder_tensors<T>&, const dropout_mode&, const executor&);       \
  PREFIX template void layers_forward(encoder_activations<T>&, const token_view&, const encoder_tensors<T>&,         \
                                      const dropout_mode&, const executor&, index_t);                                \
  PREFIX template void encoder_forward(encoder_activations<T>&, const token_view&, const encoder_tensors<T>&,        \
                                       const dropout_mode&, const executor&);                                        \
  PREFIX template void encoder_forward_to_context(encoder_activations<T>&, index_t, const token_view&,               \
                                                  const encoder_tensors<T>&, const dropout_mode&, const executor&);  \
  PREFIX template void layer_context_backward(encoder_tensors<T>&, encoder_activation_gradients<T>&, index_t,        \
                                              encoder_activations<T>&, const token_view&, const encoder_tensors<T>&, \
                                              const dropout_mode&, const executor&);                                 \
  PREFIX template void encoder_backward(encoder_tensors<T>&, encoder_activation_gradients<T>&,                       \
                                        encoder_activations<T>&, const token_view&, const encoder_tensors<T>&,       \
                                        const dropout_mode&, const executor&);                                       \
  PREFIX template void classification_forward(classification_activations<T>&, const encoder_activations<T>&,         \
                                              const token_view&, const encoder_tensors<T>&, const dropout_mode&,     \
                                              const executor&);                                                      \
  PREFIX template void classification_backward(encoder_tensors<T>&, encoder_activation_gradients<T>&, const T*,      \
                                               const classification_activations<T>&, const token_view&,              \
                                               const encoder_tensors<T>&, const dropout_mode&, const executor&);     \
  PREFIX template void masked_lm_forward(masked_lm_activations<T>&, std::vector<index_t>,                            \
                                         const encoder_activations<T>&, const encoder_tensors<T>&, const executor&); \
  PREFIX template void masked_lm_backward(encoder_tensors<T>&, encoder_activation_gradients<T>&, const T*,           \
                                          const masked_lm_activations<T>&, const encoder_tensors<T>&,                \
                                          const executor&);                                                          \
  PREFIX template double classification_objective(training_state<T>&, const encoder_tensors<T>&, const token_view&,  \
                                                  const head_targets&, const dropout_mode&, const executor&);        \
  PREFIX template double layer_context_objective(training_state<T>&, const encoder_tensors<T>&, inference_state<T>&, \
                                                 const encoder_tensors<T>&, index_t, const token_view&,              \
                                                 const dropout_mode&, const executor&, const layer_map&);            \
  PREFIX template double hidden_state_objective(training_state<T>&, const encoder_tensors<T>&, inference_state<T>&,  \
                                                const encoder_tensors<T>&, const token_view&, const dropout_mode&,   \
                                                const executor&, const layer_map&);                                  \
  PREFIX template double task_distillation_objective(                                                                \
      training_state<T>&, const encoder_tensors<T>&, inference_state<T>&, const encoder_tensors<T>&,                 \
      const distillation_weights&, const token_view&, const head_targets&, const dropout_mode&, const executor&);    \
  PREFIX template double masked_lm_loss(masked_lm_state<T>&, const encoder_tensors<T>&, const token_view&,           \
                                        const std::vector<index_t>&, const std::vector<std::int32_t>&,               \
                                        const executor&);                                                            \
  PREFIX template double masked_lm_objective(masked_lm_state<T>&, const encoder_tensors<T>&, const token_view&,      \
                                             const std::vector<index_t>&, const std::vector<std::int32_t>&, double,  \
                                             const dropout_mode&, const executor&);                                  \
  PREFIX template class adamw<encoder_tensors<T>>;                                                                   \
  PREFIX template class encoder_inference<T, panel_gemm>;

namespace inhibitor {

INHIBITOR_MODEL_OF(extern, float)
INHIBITOR_MODEL_OF(extern, double)

}  // namespace inhibitor
