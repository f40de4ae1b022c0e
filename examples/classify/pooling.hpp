// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"
#include "inhibitor/nn/linear.hpp"

// One vector per text from the hidden states of its tokens.

namespace inhibitor::examples {

/// out (B, C) = mean over the tokens of each sequence of hidden (M, C). Sums run in double. Does not throw.
inline void mean_of_rows(float* out, const float* hidden, const packed_tokens& tokens, index_t dim) {
  std::vector<double> sum(static_cast<std::size_t>(dim));
  for (index_t b = 0; b < tokens.batch; ++b) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (index_t row = tokens.starts[b]; row < tokens.starts[b + 1]; ++row) {
      for (index_t k = 0; k < dim; ++k) sum[static_cast<std::size_t>(k)] += double{hidden[row * dim + k]};
    }
    const auto count = static_cast<double>(tokens.starts[b + 1] - tokens.starts[b]);
    for (index_t k = 0; k < dim; ++k) out[b * dim + k] = static_cast<float>(sum[static_cast<std::size_t>(k)] / count);
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
