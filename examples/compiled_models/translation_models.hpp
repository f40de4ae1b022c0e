// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/models/seq2seq/translate.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/training/translation_objective.hpp"

// Encoder-decoders compiled once per build, as compiled_models.hpp has encoders: in translation_float.cpp and
// translation_double.cpp.

/// Everything of one number type; PREFIX is `extern` for declarations and empty for definitions.
#define INHIBITOR_TRANSLATION_MODEL_OF(PREFIX, T)                                                                    \
  PREFIX template void seq2seq_encode(seq2seq_activations<T>&, const sequence_view&, const seq2seq_tensors<T>&,      \
                                      const dropout_mode&, const executor&);                                         \
  PREFIX template void seq2seq_decode(seq2seq_activations<T>&, const pair_view&, const seq2seq_tensors<T>&,          \
                                      const dropout_mode&, const executor&);                                         \
  PREFIX template void seq2seq_decode_backward(seq2seq_tensors<T>&, seq2seq_activation_gradients<T>&,                \
                                               seq2seq_activations<T>&, const pair_view&, const seq2seq_tensors<T>&, \
                                               const dropout_mode&, const executor&);                                \
  PREFIX template void seq2seq_encode_backward(seq2seq_tensors<T>&, seq2seq_activation_gradients<T>&,                \
                                               seq2seq_activations<T>&, const sequence_view&,                        \
                                               const seq2seq_tensors<T>&, const dropout_mode&, const executor&);     \
  PREFIX template void seq2seq_output_forward(output_activations<T>&, const seq2seq_activations<T>&,                 \
                                              const seq2seq_tensors<T>&, const executor&);                           \
  PREFIX template void seq2seq_output_backward(seq2seq_tensors<T>&, seq2seq_activation_gradients<T>&, const T*,      \
                                               const output_activations<T>&, const seq2seq_tensors<T>&,              \
                                               const executor&);                                                     \
  PREFIX template smoothed_loss translation_loss(translation_state<T>&, const seq2seq_tensors<T>&, const pair_view&, \
                                                 const std::int32_t*, const label_smoothing&, double,                \
                                                 const dropout_mode&, const executor&);                              \
  PREFIX template smoothed_loss translation_objective(translation_state<T>&, const seq2seq_tensors<T>&,              \
                                                      const pair_view&, const std::int32_t*, const label_smoothing&, \
                                                      double, const dropout_mode&, const executor&);                 \
  PREFIX template class adamw<seq2seq_tensors<T>>;                                                                   \
  PREFIX template class seq2seq_inference<T, panel_gemm>;                                                            \
  PREFIX template void beam_search::advance(const T*, index_t, const executor&);                                     \
  PREFIX template std::vector<std::vector<hypothesis>> translate(                                                    \
      seq2seq_inference<T, panel_gemm>&, const packed_sequences&, const beam_options&, const executor&);

namespace inhibitor {

INHIBITOR_TRANSLATION_MODEL_OF(extern, float)
INHIBITOR_TRANSLATION_MODEL_OF(extern, double)

}  // namespace inhibitor
