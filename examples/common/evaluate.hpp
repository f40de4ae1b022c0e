// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "common/sentence_dataset.hpp"
#include "inhibitor/models/encoder_heads.hpp"
#include "inhibitor/train/objectives.hpp"

namespace inhibitor {

/// What a classifier did on a data set.
struct evaluation {
  double accuracy = 0;                    ///< share of correct labels, in [0, 1]
  double loss = 0;                        ///< mean cross-entropy
  double seconds = 0;                     ///< wall time of the forward passes, tokenization left out
  std::vector<std::int32_t> predictions;  ///< one label per example

  double examples_per_second() const { return static_cast<double>(predictions.size()) / seconds; }
};

/// The batch as the model takes it; `batch` must outlive the view.
inline token_view view_of(const token_batch& batch) {
  return {batch.ids.data(), batch.key_mask.data(), batch.batch, batch.length};
}

/// Runs the model over every example, without dropout; ties go to the lower label. Throws std::invalid_argument for
/// labels outside the model's.
template <class T>
evaluation evaluate(const encoder_tensors<T>& model, const token_dataset& dataset, const executor& workers,
                    index_t batch_size = 32) {
  const auto start = std::chrono::steady_clock::now();
  const index_t classes = model.config().num_labels;
  inference_state<T> state;
  evaluation result;
  result.predictions.resize(dataset.ids.size());
  index_t correct = 0;
  for (const auto& rows : length_sorted_batches(dataset, batch_size)) {
    const token_batch batch = make_batch(dataset, rows, static_cast<std::int32_t>(model.config().pad_token_id));
    const token_view tokens = view_of(batch);
    encoder_forward(state.activations, tokens, model, {}, workers);
    classification_forward(state.head, state.activations, tokens, model, {}, workers);
    result.loss += static_cast<double>(batch.batch) *
                   cross_entropy<T>(nullptr, state.head.logits.data(), batch.labels.data(), batch.batch, classes);
    for (index_t b = 0; b < batch.batch; ++b) {
      const T* logits = state.head.logits.data() + b * classes;
      const auto label = static_cast<std::int32_t>(std::max_element(logits, logits + classes) - logits);
      result.predictions[static_cast<std::size_t>(batch.rows[static_cast<std::size_t>(b)])] = label;
      correct += label == batch.labels[static_cast<std::size_t>(b)] ? 1 : 0;
    }
  }
  result.loss /= static_cast<double>(dataset.size());
  result.accuracy = static_cast<double>(correct) / static_cast<double>(dataset.size());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace inhibitor
