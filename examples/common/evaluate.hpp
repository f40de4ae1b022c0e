// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "common/metrics.hpp"
#include "common/sentence_dataset.hpp"
#include "inhibitor/models/encoder_heads.hpp"
#include "inhibitor/train/objectives.hpp"

namespace inhibitor {

/// What the classification head said about every example of a data set.
struct model_outputs {
  std::vector<float> logits;  ///< (n, outputs), or one score per example
  index_t outputs = 0;
  double seconds = 0;  ///< wall time of the forward passes, tokenization left out

  index_t size() const { return outputs == 0 ? 0 : static_cast<index_t>(logits.size()) / outputs; }

  /// The class with the largest logit of every example; ties go to the lower class.
  std::vector<std::int32_t> classes() const {
    std::vector<std::int32_t> out;
    for (index_t i = 0; i < size(); ++i) {
      const float* row = logits.data() + i * outputs;
      out.push_back(static_cast<std::int32_t>(std::max_element(row, row + outputs) - row));
    }
    return out;
  }
};

/// How good the outputs are.
struct evaluation {
  double loss = 0;        ///< mean cross-entropy, or mean squared error
  metric_values metrics;  ///< the task's
  double seconds = 0;
  index_t examples = 0;

  double examples_per_second() const { return static_cast<double>(examples) / seconds; }
};

/// The batch as the model takes it; `batch` must outlive the view.
inline token_view view_of(const token_batch& batch) {
  return {batch.ids.data(), batch.key_mask.data(), batch.batch, batch.length, batch.type_ids.data()};
}

/// Runs the model over every example, without dropout. Throws std::invalid_argument for ids outside the vocabulary and
/// examples longer than the position table.
template <class T>
model_outputs run_model(const encoder_tensors<T>& model, const token_dataset& dataset, const executor& workers,
                        index_t batch_size = 32) {
  const auto start = std::chrono::steady_clock::now();
  model_outputs result;
  result.outputs = model.config().num_labels;
  result.logits.resize(static_cast<std::size_t>(dataset.size() * result.outputs));
  inference_state<T> state;
  for (const auto& rows : length_sorted_batches(dataset, batch_size)) {
    const token_batch batch = make_batch(dataset, rows, static_cast<std::int32_t>(model.config().pad_token_id));
    const token_view tokens = view_of(batch);
    encoder_forward(state.activations, tokens, model, {}, workers);
    classification_forward(state.head, state.activations, tokens, model, {}, workers);
    const T* logits = state.head.logits.data();
    for (const index_t row : rows) {
      for (index_t k = 0; k < result.outputs; ++k, ++logits) {
        result.logits[static_cast<std::size_t>(row * result.outputs + k)] = static_cast<float>(*logits);
      }
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Compares outputs with the labels or scores of `truth`. Throws std::invalid_argument for an empty data set and labels
/// outside the model's.
inline evaluation evaluate(const model_outputs& outputs, const token_dataset& truth, metric_kind kind) {
  evaluation result;
  result.seconds = outputs.seconds;
  result.examples = outputs.size();
  if (truth.labels.empty()) {
    result.loss = mean_squared_error(outputs.logits, truth.scores);
    result.metrics = regression_metrics(kind, outputs.logits, truth.scores);
  } else {
    result.loss =
        cross_entropy<float>(nullptr, outputs.logits.data(), truth.labels.data(), outputs.size(), outputs.outputs);
    result.metrics = classification_metrics(kind, outputs.classes(), truth.labels);
  }
  return result;
}

}  // namespace inhibitor
