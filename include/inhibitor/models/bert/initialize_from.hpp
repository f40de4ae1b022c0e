// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "inhibitor/models/bert/tensors.hpp"

// Starts a smaller model from layers of a larger one, as DistilBERT started from BERT (Sanh et al. 2019, arXiv
// 1910.01108 section 2).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The layers of a 12-layer BERT that DistilBERT's six layers were copied from.
inline std::vector<index_t> distilbert_layers() { return {0, 2, 4, 7, 9, 11}; }

namespace detail {

template <class T>
void copy_tensor_values(tensor<T>& to, const tensor<T>& from) {
  std::copy(from.data, from.data + from.size(), to.data);
}
template <class T>
void copy_tensor_values(weight_and_bias<T>& to, const weight_and_bias<T>& from) {
  copy_tensor_values(to.weight, from.weight);
  copy_tensor_values(to.bias, from.bias);
}

}  // namespace detail

/// Copies into `student` what it shares with `teacher`, of either family: the embeddings, layer `layers[i]` of the
/// teacher as layer i, and the masked-LM head where both have one. Everything else keeps its numbers: a student without
/// token types drops the teacher's, inhibitor scalars of a layer stay where the teacher's layer has none, and the
/// classification head is copied between models of one family with the same number of labels only, since DistilBERT's
/// first layer is followed by a ReLU and BERT's pooler by tanh. Throws std::invalid_argument, with the student
/// untouched, when the widths differ or `layers` does not name one layer of the teacher per layer of the student.
template <class T>
void initialize_from(encoder_tensors<T>& student, const encoder_tensors<T>& teacher,
                     const std::vector<index_t>& layers) {
  const encoder_config &s = student.config(), &t = teacher.config();
  const auto same = [](index_t mine, index_t theirs, const char* name) {
    check(mine == theirs, [&] {
      return std::string("initialize_from: ") + name + " is " + std::to_string(mine) + " in the student and " +
             std::to_string(theirs) + " in the teacher; expected the same";
    });
  };
  same(s.vocab_size, t.vocab_size, "vocab_size");
  same(s.max_position_embeddings, t.max_position_embeddings, "max_position_embeddings");
  same(s.dim, t.dim, "dim");
  same(s.n_heads, t.n_heads, "n_heads");
  same(s.hidden_dim, t.hidden_dim, "hidden_dim");
  check(static_cast<index_t>(layers.size()) == s.n_layers, [&] {
    return "initialize_from: " + std::to_string(layers.size()) + " layers are named; expected " +
           std::to_string(s.n_layers) + ", one per layer of the student";
  });
  for (const index_t layer : layers) {
    check(layer >= 0 && layer < t.n_layers, [&] {
      return "initialize_from: layer " + std::to_string(layer) + " is named; the teacher has layers 0 to " +
             std::to_string(t.n_layers - 1);
    });
  }

  const auto copy = [](auto& to, const auto& from) { detail::copy_tensor_values(to, from); };
  copy(student.embeddings.word_embeddings, teacher.embeddings.word_embeddings);
  copy(student.embeddings.position_embeddings, teacher.embeddings.position_embeddings);
  copy(student.embeddings.LayerNorm, teacher.embeddings.LayerNorm);
  if (s.type_vocab_size > 0 && s.type_vocab_size == t.type_vocab_size) {
    copy(student.embeddings.token_type_embeddings, teacher.embeddings.token_type_embeddings);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    block_tensors<T>& to = student.layer[i];
    const block_tensors<T>& from = teacher.layer[static_cast<std::size_t>(layers[i])];
    copy(to.attention.q_lin, from.attention.q_lin);
    copy(to.attention.k_lin, from.attention.k_lin);
    copy(to.attention.v_lin, from.attention.v_lin);
    copy(to.attention.out_lin, from.attention.out_lin);
    if (to.attention.inhibitor_shift.rank > 0 && from.attention.inhibitor_shift.rank > 0) {
      copy(to.attention.inhibitor_score_scale, from.attention.inhibitor_score_scale);
      copy(to.attention.inhibitor_shift, from.attention.inhibitor_shift);
      copy(to.attention.inhibitor_output_scale, from.attention.inhibitor_output_scale);
    }
    copy(to.sa_layer_norm, from.sa_layer_norm);
    copy(to.ffn.lin1, from.ffn.lin1);
    copy(to.ffn.lin2, from.ffn.lin2);
    copy(to.output_layer_norm, from.output_layer_norm);
  }
  if (student.heads().masked_lm && teacher.heads().masked_lm) {
    copy(student.vocab_transform, teacher.vocab_transform);
    copy(student.vocab_layer_norm, teacher.vocab_layer_norm);
    copy(student.vocab_projector_bias, teacher.vocab_projector_bias);
  }
  if (student.heads().sequence_classification && teacher.heads().sequence_classification && s.family == t.family &&
      s.num_labels == t.num_labels) {
    copy(student.pre_classifier, teacher.pre_classifier);
    copy(student.classifier, teacher.classifier);
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
