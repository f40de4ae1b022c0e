// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>

#include "inhibitor/models/bert/model.hpp"

// Takes the multiplications out of the inhibitor layers of a trained model. With gamma > 0 and eta > 0 of a head,
//
//   gamma / sqrt(D) |q - k|_1 = |c q - c k|_1,  c = gamma / sqrt(D):   rows of the head in q_lin and k_lin times c
//   out_lin (eta h) = (out_lin eta) h:                                 columns of the head in out_lin times eta
//
// so that the attention between the projections needs no scale (attention/add_only.hpp).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Folds the score and output scales of every inhibitor layer into its projections, in place, and sets
/// score_scale = sqrt(D), output_scale = 1 and config().add_only. The function of the model is the same up to rounding,
/// with and without add_only; folding twice changes nothing more. Throws std::invalid_argument naming layer and head,
/// with the model untouched, for a scale that is not positive and finite (|.| keeps no sign, and a head whose output
/// counts for nothing is a broken model rather than one to be folded), and when the model divides by the number of keys
/// (normalize_by_length), which no projection can do for it. Allocates nothing.
template <class T>
void fold_scales(encoder_tensors<T>& parameters) {
  encoder_config config = parameters.config();
  const index_t heads = config.n_heads, size = config.head_size(), dim = config.dim;
  const auto require_positive = [](T scale, const char* name, index_t layer, index_t head) {
    check(std::isfinite(scale) && scale > T(0), [&] {
      return "fold_scales: layer " + std::to_string(layer) + ", head " + std::to_string(head) + ": " + name + " is " +
             std::to_string(scale) + "; expected a positive finite number";
    });
  };
  for (index_t layer = 0; layer < config.n_layers; ++layer) {
    const auto* a = parameters.layer[static_cast<std::size_t>(layer)].attention.template as<inhibitor_mixer>();
    if (a == nullptr) continue;
    check(!config.inhibitor.normalize_by_length, [&] {
      return "fold_scales: layer " + std::to_string(layer) +
             " divides its output by the number of keys (normalize_by_length), which no projection can take over";
    });
    for (index_t h = 0; h < heads; ++h) {
      require_positive(a->inhibitor_score_scale.data[h], "inhibitor_score_scale", layer, h);
      require_positive(a->inhibitor_output_scale.data[h], "inhibitor_output_scale", layer, h);
    }
  }
  const T root = std::sqrt(static_cast<T>(size));
  for (transformer_block<T>& block : parameters.layer) {
    auto* a = block.attention.template as<inhibitor_mixer>();
    if (a == nullptr) continue;
    for (index_t h = 0; h < heads; ++h) {
      const T score_scale = a->inhibitor_score_scale.data[h] / root;
      const T output_scale = a->inhibitor_output_scale.data[h];
      for (linear_tensors<T>* projection : {&a->q_lin, &a->k_lin}) {  // (C out, C in): a head is D rows
        for (index_t x = h * size * dim; x < (h + 1) * size * dim; ++x) projection->weight.data[x] *= score_scale;
        for (index_t x = h * size; x < (h + 1) * size; ++x) projection->bias.data[x] *= score_scale;
      }
      for (index_t row = 0; row < dim; ++row) {  // a head is D columns
        for (index_t x = h * size; x < (h + 1) * size; ++x) a->out_lin.weight.data[row * dim + x] *= output_scale;
      }
      a->inhibitor_score_scale.data[h] = root;
      a->inhibitor_output_scale.data[h] = T(1);
    }
  }
  config.add_only = true;
  parameters.set_options(config);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
