// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "inhibitor/models/bert/encoder.hpp"

// The two heads of DistilBERT and BERT, forward and backward (semantics as in Hugging Face's ForSequenceClassification
// and ForMaskedLM classes).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the classification head keeps.
template <class T>
struct classification_activations {
  aligned_buffer<T> first;      // (B, C) last hidden state of the first token
  aligned_buffer<T> pooled;     // (B, C) after pre_classifier, its activation and dropout
  aligned_buffer<T> activated;  // (B, C) before the dropout; BERT only
  aligned_buffer<T> logits;     // (B, num_labels)
};

/// logits (B, num_labels) = classifier(dropout(f(pre_classifier(hidden[n_layers][:, 0])))), f being ReLU in DistilBERT
/// and tanh in BERT, whose pooler this is. Does not throw.
template <class T>
void classification_forward(classification_activations<T>& head, const encoder_activations<T>& a,
                            const token_view& tokens, const encoder_tensors<T>& p, const dropout_mode& mode,
                            const executor& workers) {
  const encoder_config& c = p.config();
  head.first.resize(tokens.batch * c.dim);
  head.pooled.resize(tokens.batch * c.dim);
  head.logits.resize(tokens.batch * c.num_labels);
  const T* last = a.hidden.back().data();
  for (index_t b = 0; b < tokens.batch; ++b) {
    std::copy_n(last + b * tokens.length * c.dim, c.dim, head.first.data() + b * c.dim);
  }
  linear_forward(head.pooled.data(), head.first.data(), p.pre_classifier.weight.data, p.pre_classifier.bias.data,
                 tokens.batch, c.dim, c.dim, workers);
  if (c.family == model_family::bert) {
    for (T& x : head.pooled) x = std::tanh(x);
    head.activated.resize(head.pooled.size());
    std::copy(head.pooled.begin(), head.pooled.end(), head.activated.begin());
  } else {
    for (T& x : head.pooled) x = std::max(x, T(0));
  }
  if (mode.enabled) {
    dropout(head.pooled.data(), head.pooled.size(), c.seq_classif_dropout, mode.stream.at(detail::classifier_site),
            workers);
  }
  linear_forward(head.logits.data(), head.pooled.data(), p.classifier.weight.data, p.classifier.bias.data, tokens.batch,
                 c.dim, c.num_labels, workers);
}

/// Mirror of classification_forward: adds to `dp` and to da.hidden[n_layers] from dlogits (B, num_labels).
template <class T>
void classification_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, const T* dlogits,
                             const classification_activations<T>& head, const token_view& tokens,
                             const encoder_tensors<T>& p, const dropout_mode& mode, const executor& workers) {
  const encoder_config& c = p.config();
  aligned_buffer<T> dpooled(tokens.batch * c.dim), dfirst(tokens.batch * c.dim);
  linear_backward(dpooled.data(), dp.classifier.weight.data, dp.classifier.bias.data, dlogits, head.pooled.data(),
                  p.classifier.weight.data, tokens.batch, c.dim, c.num_labels, workers);
  if (mode.enabled) {
    dropout(dpooled.data(), dpooled.size(), c.seq_classif_dropout, mode.stream.at(detail::classifier_site), workers);
  }
  for (index_t i = 0; i < dpooled.size(); ++i) {
    // A pooled value is positive exactly where the ReLU passed and dropout kept it; dropped ones have gradient 0
    // already.
    const T slope = c.family == model_family::bert ? T(1) - head.activated[i] * head.activated[i]
                    : head.pooled[i] > T(0)        ? T(1)
                                                   : T(0);
    dpooled[i] *= slope;
  }
  linear_backward(dfirst.data(), dp.pre_classifier.weight.data, dp.pre_classifier.bias.data, dpooled.data(),
                  head.first.data(), p.pre_classifier.weight.data, tokens.batch, c.dim, c.dim, workers);
  T* dlast = da.hidden.back().data();
  for (index_t b = 0; b < tokens.batch; ++b) {
    T* row = dlast + b * tokens.length * c.dim;
    for (index_t k = 0; k < c.dim; ++k) row[k] += dfirst[b * c.dim + k];
  }
}

/// What the masked-LM head keeps, for the N selected positions.
template <class T>
struct masked_lm_activations {
  std::vector<index_t> positions;        // (N) rows of (M, C)
  aligned_buffer<T> selected;            // (N, C) last hidden states
  aligned_buffer<T> transformed;         // (N, C) after vocab_transform
  aligned_buffer<T> activated;           // (N, C) after GELU
  aligned_buffer<T> normed, mean, rstd;  // (N, C), (N), (N) after vocab_layer_norm
  aligned_buffer<T> logits;              // (N, V)
};

/// logits (N, V) of the rows `positions` (indices into batch * length): vocab_projector(vocab_layer_norm(gelu(
/// vocab_transform(hidden)))), the projector's weight being the word embeddings. Only the rows asked for are computed:
/// (M, V) logits would dwarf the model. Positions must lie in [0, M).
template <class T>
void masked_lm_forward(masked_lm_activations<T>& head, std::vector<index_t> positions, const encoder_activations<T>& a,
                       const encoder_tensors<T>& p, const executor& workers) {
  const encoder_config& c = p.config();
  head.positions = std::move(positions);
  const index_t n = static_cast<index_t>(head.positions.size());
  for (auto* b : {&head.selected, &head.transformed, &head.activated, &head.normed}) b->resize(n * c.dim);
  head.mean.resize(n);
  head.rstd.resize(n);
  head.logits.resize(n * c.vocab_size);
  for (index_t i = 0; i < n; ++i) {
    std::copy_n(a.hidden.back().data() + head.positions[static_cast<std::size_t>(i)] * c.dim, c.dim,
                head.selected.data() + i * c.dim);
  }
  linear_forward(head.transformed.data(), head.selected.data(), p.vocab_transform.weight.data,
                 p.vocab_transform.bias.data, n, c.dim, c.dim, workers);
  gelu_forward(head.activated.data(), head.transformed.data(), n * c.dim, workers);
  layer_norm_forward(head.normed.data(), head.mean.data(), head.rstd.data(), head.activated.data(),
                     p.vocab_layer_norm.weight.data, p.vocab_layer_norm.bias.data, n, c.dim,
                     static_cast<T>(c.layer_norm_epsilon), workers);
  linear_forward(head.logits.data(), head.normed.data(), p.embeddings.word_embeddings.data, p.vocab_projector_bias.data,
                 n, c.dim, c.vocab_size, workers);
}

/// Mirror of masked_lm_forward: adds to `dp` (the tied decoder's gradient to the word embeddings) and to
/// da.hidden[n_layers] from dlogits (N, V).
template <class T>
void masked_lm_backward(encoder_tensors<T>& dp, encoder_activation_gradients<T>& da, const T* dlogits,
                        const masked_lm_activations<T>& head, const encoder_tensors<T>& p, const executor& workers) {
  const encoder_config& c = p.config();
  const index_t n = static_cast<index_t>(head.positions.size());
  aligned_buffer<T> dnormed(n * c.dim), dactivated(n * c.dim), dtransformed(n * c.dim), dselected(n * c.dim);
  linear_backward(dnormed.data(), dp.embeddings.word_embeddings.data, dp.vocab_projector_bias.data, dlogits,
                  head.normed.data(), p.embeddings.word_embeddings.data, n, c.dim, c.vocab_size, workers);
  layer_norm_backward(dactivated.data(), dp.vocab_layer_norm.weight.data, dp.vocab_layer_norm.bias.data, dnormed.data(),
                      head.activated.data(), head.mean.data(), head.rstd.data(), p.vocab_layer_norm.weight.data, n,
                      c.dim, workers);
  gelu_backward(dtransformed.data(), dactivated.data(), head.transformed.data(), n * c.dim, workers);
  linear_backward(dselected.data(), dp.vocab_transform.weight.data, dp.vocab_transform.bias.data, dtransformed.data(),
                  head.selected.data(), p.vocab_transform.weight.data, n, c.dim, c.dim, workers);
  for (index_t i = 0; i < n; ++i) {
    T* row = da.hidden.back().data() + head.positions[static_cast<std::size_t>(i)] * c.dim;
    for (index_t k = 0; k < c.dim; ++k) row[k] += dselected[i * c.dim + k];
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
