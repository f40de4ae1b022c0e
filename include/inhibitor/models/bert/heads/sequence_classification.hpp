// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/models/bert/config.hpp"
#include "inhibitor/models/bert/dropout_sites.hpp"
#include "inhibitor/models/bert/token_view.hpp"
#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/linear.hpp"
#include "inhibitor/nn/tensor.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// x (size) = f(x), in place.
template <class T>
void activate_pooler(T* x, index_t size, pooler_activation f) {
  for (index_t i = 0; i < size; ++i) x[i] = f == pooler_activation::tanh ? std::tanh(x[i]) : std::max(x[i], T(0));
}

/// What the classification head keeps.
template <class T>
struct classification_activations {
  aligned_buffer<T> first;      // (B, C) last hidden state of the first token
  aligned_buffer<T> activated;  // (B, C) after pre_classifier and its activation
  aligned_buffer<T> pooled;     // (B, C) after the dropout
  aligned_buffer<T> logits;     // (B, num_labels)
};

/// The head of Hugging Face's ForSequenceClassification classes: tensors, or their gradients. BERT's pooler is its
/// pre_classifier.
template <class T>
struct sequence_classification_head {
  static constexpr const char* name = "sequence_classification";
  static constexpr const char* architecture = "ForSequenceClassification";  ///< ending of Hugging Face's class names
  static constexpr const char* own_tensor = "classifier.weight";  ///< that tells that a checkpoint has the head

  linear_tensors<T> pre_classifier;  // (C, C)
  linear_tensors<T> classifier;      // (num_labels, C)

  sequence_classification_head() = default;
  explicit sequence_classification_head(const encoder_config& c)
      : pre_classifier(c.dim, c.dim), classifier(c.num_labels, c.dim) {}
  template <class Visitor>
  void visit(Visitor&& f) {
    pre_classifier.visit("pre_classifier", f);
    classifier.visit("classifier", f);
  }

  /// saved.logits (B, num_labels) = classifier(dropout(f(pre_classifier(last_hidden[:, 0])))), f being the pooler
  /// activation and last_hidden (M, C). Allocates while `saved` grows.
  void forward(classification_activations<T>& saved, const T* last_hidden, const token_view& tokens,
               const encoder_config& c, const dropout_mode& mode, const executor& workers) const {
    for (auto* b : {&saved.first, &saved.activated, &saved.pooled}) b->resize(tokens.batch * c.dim);
    saved.logits.resize(tokens.batch * c.num_labels);
    for (index_t b = 0; b < tokens.batch; ++b) {
      std::copy_n(last_hidden + b * tokens.length * c.dim, c.dim, saved.first.data() + b * c.dim);
    }
    linear_forward(saved.activated.data(), saved.first.data(), pre_classifier.weight.data, pre_classifier.bias.data,
                   tokens.batch, c.dim, c.dim, workers);
    activate_pooler(saved.activated.data(), saved.activated.size(), c.pooler);
    std::copy(saved.activated.begin(), saved.activated.end(), saved.pooled.begin());
    drop(saved.pooled, c, mode, workers);
    linear_forward(saved.logits.data(), saved.pooled.data(), classifier.weight.data, classifier.bias.data, tokens.batch,
                   c.dim, c.num_labels, workers);
  }

  /// Mirror of forward: adds to the gradients `d` and to dlast_hidden (M, C) from dlogits (B, num_labels).
  void backward(sequence_classification_head& d, T* dlast_hidden, const T* dlogits,
                const classification_activations<T>& saved, const token_view& tokens, const encoder_config& c,
                const dropout_mode& mode, const executor& workers) const {
    aligned_buffer<T> dpooled(tokens.batch * c.dim), dfirst(tokens.batch * c.dim);
    // linear_forward(logits, pooled, classifier)
    linear_backward(dpooled.data(), d.classifier.weight.data, d.classifier.bias.data, dlogits, saved.pooled.data(),
                    classifier.weight.data, tokens.batch, c.dim, c.num_labels, workers);
    // drop(pooled)
    drop(dpooled, c, mode, workers);
    // activate_pooler(activated)
    for (index_t i = 0; i < dpooled.size(); ++i) {
      const T y = saved.activated[i];
      const T relu_slope = y > T(0) ? T(1) : T(0);
      dpooled[i] *= c.pooler == pooler_activation::tanh ? T(1) - y * y : relu_slope;
    }
    // linear_forward(activated, first, pre_classifier)
    linear_backward(dfirst.data(), d.pre_classifier.weight.data, d.pre_classifier.bias.data, dpooled.data(),
                    saved.first.data(), pre_classifier.weight.data, tokens.batch, c.dim, c.dim, workers);
    // first = last_hidden[:, 0]
    for (index_t b = 0; b < tokens.batch; ++b) {
      T* row = dlast_hidden + b * tokens.length * c.dim;
      for (index_t k = 0; k < c.dim; ++k) row[k] += dfirst[b * c.dim + k];
    }
  }

 private:
  static void drop(aligned_buffer<T>& x, const encoder_config& c, const dropout_mode& mode, const executor& workers) {
    if (!mode.enabled) return;
    dropout(x.data(), x.size(), c.seq_classif_dropout, mode.stream.at(dropout_sites::classifier), workers);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
