// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "inhibitor/data/token_dataset.hpp"
#include "inhibitor/metrics/metrics.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/nn/losses.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the classification head said about every example of a data set.
struct model_outputs {
  std::vector<float> logits;  ///< (n, outputs), or one score per example
  index_t outputs = 0;
  index_t batches = 0;
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

/// Runs the model over every example, without dropout and without padding: examples of similar length are packed one
/// after the other, `batch_tokens` at a time. Throws std::invalid_argument for ids outside the vocabulary and examples
/// longer than the position table.
inline model_outputs run_model(const encoder_tensors<float>& model, const token_dataset& dataset,
                               const executor& workers, index_t batch_tokens = 4096) {
  const auto start = std::chrono::steady_clock::now();
  model_outputs result;
  result.outputs = model.config().num_labels;
  result.logits.resize(static_cast<std::size_t>(dataset.size() * result.outputs));
  encoder_inference<float> inference(model);
  std::vector<index_t> order;
  for (const auto& row : length_sorted_batches(dataset, 1)) order.push_back(row.front());
  std::vector<std::int32_t> ids, type_ids;
  std::vector<index_t> starts;
  for (std::size_t first = 0; first < order.size();) {
    ids.clear();
    type_ids.clear();
    starts.assign(1, 0);
    std::size_t last = first;
    do {
      const auto row = static_cast<std::size_t>(order[last++]);
      ids.insert(ids.end(), dataset.ids[row].begin(), dataset.ids[row].end());
      type_ids.resize(static_cast<std::size_t>(starts.back() + dataset.first_lengths[row]), 0);
      type_ids.resize(ids.size(), 1);
      starts.push_back(static_cast<index_t>(ids.size()));
    } while (last < order.size() && starts.back() < batch_tokens);
    const float* logits = inference.classify(
        {ids.data(), type_ids.data(), starts.data(), static_cast<index_t>(starts.size()) - 1}, workers);
    for (; first < last; ++first, logits += result.outputs) {
      std::copy_n(logits, result.outputs, result.logits.begin() + order[first] * result.outputs);
    }
    ++result.batches;
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

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
