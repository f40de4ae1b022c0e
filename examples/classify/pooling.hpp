// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/pretrained/sentence_transformers.hpp"

// One vector per text from the hidden states of its tokens.

namespace inhibitor::examples {

/// out (C) = what `mode` makes of the hidden states (L, C) of one text, L > 0. Sums run in double, in `sum` (C). Does
/// not throw.
inline void pool_text(float* out, const float* hidden, index_t length, index_t dim, pooling_mode mode, double* sum) {
  switch (mode) {
    case pooling_mode::cls:
      std::copy_n(hidden, dim, out);
      return;
    case pooling_mode::lasttoken:
      std::copy_n(hidden + (length - 1) * dim, dim, out);
      return;
    case pooling_mode::max:
      std::copy_n(hidden, dim, out);
      for (index_t row = 1; row < length; ++row) {
        for (index_t k = 0; k < dim; ++k) out[k] = std::max(out[k], hidden[row * dim + k]);
      }
      return;
    case pooling_mode::mean:
    case pooling_mode::mean_sqrt_len_tokens:
    case pooling_mode::weightedmean:
      break;
  }
  const bool is_weighted = mode == pooling_mode::weightedmean;
  std::fill_n(sum, dim, 0.0);
  double weights = 0;
  for (index_t row = 0; row < length; ++row) {
    const double weight = is_weighted ? static_cast<double>(row + 1) : 1.0;
    weights += weight;
    for (index_t k = 0; k < dim; ++k) sum[k] += weight * double{hidden[row * dim + k]};
  }
  const double divisor = mode == pooling_mode::mean_sqrt_len_tokens ? std::sqrt(weights) : weights;
  for (index_t k = 0; k < dim; ++k) out[k] = static_cast<float>(sum[k] / divisor);
}

/// out (B, modes.size() * C) = the parts that the modes make of hidden (M, C), one after the other for each text.
inline void pool_tokens(float* out, const float* hidden, const packed_tokens& tokens, index_t dim,
                        const std::vector<pooling_mode>& modes) {
  std::vector<double> sum(static_cast<std::size_t>(dim));
  for (index_t b = 0; b < tokens.batch; ++b) {
    for (const pooling_mode mode : modes) {
      pool_text(out, hidden + tokens.starts[b] * dim, tokens.starts[b + 1] - tokens.starts[b], dim, mode, sum.data());
      out += dim;
    }
  }
}

/// out (B, C) = what the classifier is given: DistilBERT's relu(pre_classifier(first)), BERT's tanh(pooler(first)),
/// from the last hidden states `first` (B, C) of the first tokens. Does not throw.
inline void pool_first(float* out, const float* first, index_t batch, const encoder_tensors<float>& model,
                       const executor& workers) {
  const index_t dim = model.config().dim;
  const linear_tensors<float>& pooler = model.head<sequence_classification_head>().pre_classifier;
  linear_forward(out, first, pooler.weight.data, pooler.bias.data, batch, dim, dim, workers);
  activate_pooler(out, batch * dim, model.config().pooler);
}

/// Divides every row of x (B, C) by its Euclidean length; rows of zeros stay. Does not throw.
inline void scale_to_length_one(float* x, index_t batch, index_t dim) {
  for (index_t b = 0; b < batch; ++b) {
    double squares = 0;
    for (index_t k = 0; k < dim; ++k) squares += double{x[b * dim + k]} * double{x[b * dim + k]};
    if (squares == 0) continue;
    for (index_t k = 0; k < dim; ++k) x[b * dim + k] = static_cast<float>(double{x[b * dim + k]} / std::sqrt(squares));
  }
}

}  // namespace inhibitor::examples
