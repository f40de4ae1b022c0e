// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inhibitor/models/bert/model.hpp"

// Starts a smaller model from layers of a larger one, as DistilBERT started from BERT (Sanh et al. 2019, arXiv
// 1910.01108 section 2).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The layers of a 12-layer BERT that DistilBERT's six layers were copied from.
inline std::vector<index_t> distilbert_layers() { return {0, 2, 4, 7, 9, 11}; }

namespace detail {

/// Calls box.visit(f), with a prefix where the box takes one.
template <class Box, class Visitor,
          class = decltype(std::declval<Box&>().visit(std::string(), std::declval<Visitor>()))>
void visit_box(Box& box, Visitor&& f, int) {
  box.visit("", f);
}
template <class Box, class Visitor>
void visit_box(Box& box, Visitor&& f, long) {
  box.visit(f);
}

/// Copies the numbers of one box, a copy of the views, into the tensors of another that have the same name and shape.
template <class T, class To, class From>
void copy_shared_tensors(To& to, From from) {
  std::map<std::string, tensor<T>> there;
  visit_box(
      from, [&](const std::string& name, tensor<T>& t) { there[name] = t; }, 0);
  visit_box(
      to,
      [&](const std::string& name, tensor<T>& t) {
        const auto found = there.find(name);
        if (found == there.end() || found->second.rows != t.rows || found->second.cols != t.cols) return;
        std::copy_n(found->second.data, t.size(), t.data);
      },
      0);
}

}  // namespace detail

/// Copies into `student` what it shares with `teacher`, tensors of the same name and shape: the embeddings, layer
/// `layers[i]` of the teacher as layer i, and the heads that both have. Everything else keeps its numbers: a student
/// without token types drops the teacher's, inhibitor scalars of a layer stay where the teacher's layer has none, and
/// the classification head is copied between models with the same pooler activation and number of labels only. Throws
/// std::invalid_argument, with the student untouched, when the widths differ or `layers` does not name one layer of the
/// teacher per layer of the student.
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
  same(s.intermediate_dim, t.intermediate_dim, "intermediate_dim");
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

  detail::copy_shared_tensors<T>(student.embeddings, teacher.embeddings);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    detail::copy_shared_tensors<T>(student.layer[i], teacher.layer[static_cast<std::size_t>(layers[i])]);
  }
  for (bert_head<T>& to : student.heads) {
    for (const bert_head<T>& from : teacher.heads) {
      const bool is_classifier = std::holds_alternative<sequence_classification_head<T>>(to);
      if (to.index() != from.index()) continue;
      if (is_classifier && (s.pooler != t.pooler || s.num_labels != t.num_labels)) continue;
      std::visit([](auto& a, const auto& b) { detail::copy_shared_tensors<T>(a, b); }, to, from);
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
