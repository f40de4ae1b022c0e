// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/nn/blocks.hpp"
#include "inhibitor/nn/softmax_row.hpp"

// Cross-entropy against smoothed labels (Szegedy et al. 2016, arXiv 1512.00567 section 7) over a vocabulary. A row's
// target distribution q has 1 - e on the true label, with what the forms do with e:
//
//   uniform            e / V on every label, on top of the true one's 1 - e
//   others             e / (V - 1) on every other label, the padding among them (fairseq)
//   but_padding        e / (V - 2) on every other label, 0 on the padding
//
// The loss of a row is -sum q log p, its gradient by the logits p - q. Where a toolkit reports the divergence from q
// instead, it is this less the entropy of q, a constant.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What happens to the share of probability that the true label loses.
enum class smoothing_form { uniform, others, but_padding };

/// How labels are smoothed; epsilon 0: not at all.
struct label_smoothing {
  smoothing_form form = smoothing_form::others;
  double epsilon = 0.1;
};

/// Labels as they are.
constexpr label_smoothing no_smoothing{smoothing_form::uniform, 0};

/// The padding_id of rows that all count.
constexpr std::int32_t no_padding_id = -1;

/// Sums over the rows that count.
struct smoothed_loss {
  double loss = 0;            ///< against the smoothed labels
  double log_likelihood = 0;  ///< negative, of the true labels: what perplexity is made of
  index_t rows = 0;           ///< that count
};

/// Turns logits (rows, classes) in place into the gradient of weight * sum of the losses of the rows whose label is not
/// `padding_id`; the other rows become 0 and count for nothing. Exponentials and sums over a row are of type T, sums
/// over rows in double in their order, so that results do not depend on the workers. Throws std::invalid_argument for
/// labels (rows) outside [0, classes), before anything is overwritten, and for classes that leave none to share epsilon.
template <class T>
smoothed_loss smoothed_cross_entropy(T* logits, const std::int32_t* labels, index_t rows, index_t classes,
                                     std::int32_t padding_id, const label_smoothing& smoothing, double weight,
                                     const executor& workers) {
  using B = batch<best_isa, T>;
  constexpr index_t n = lanes<best_isa, T>;
  for (index_t i = 0; i < rows; ++i) {
    check(labels[i] >= 0 && labels[i] < classes, [&] {
      return "label of row " + std::to_string(i) + " is " + std::to_string(labels[i]) + "; expected 0 <= label < " +
             std::to_string(classes);
    });
  }
  const double e = smoothing.epsilon;
  const bool skips_padding = smoothing.form == smoothing_form::but_padding && padding_id >= 0 && padding_id < classes;
  const index_t left_out = smoothing.form == smoothing_form::uniform ? 0 : skips_padding ? 2 : 1;
  check(classes > left_out, "smoothed_cross_entropy: there are too few classes to share epsilon among");
  const double of_other = e / static_cast<double>(classes - left_out);
  const double of_true = 1 - e + (smoothing.form == smoothing_form::uniform ? of_other : 0);
  struct row_loss {
    double loss = 0, log_likelihood = 0;
  };
  std::vector<row_loss> losses(static_cast<std::size_t>(rows));
  for_each_range(rows, 8, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      T* x = logits + i * classes;
      if (labels[i] == padding_id) {
        std::fill_n(x, classes, T(0));
        continue;
      }
      const auto label = static_cast<double>(x[labels[i]]);
      const double padding = skips_padding ? static_cast<double>(x[padding_id]) : 0;
      const T largest = largest_of(x, classes);
      double others = 0;  // sum of the logits that share epsilon, needed where there is one
      if (e != 0) {
        const B center(largest);
        const T centered = fixed_order_sum<T>(
            classes, [&](index_t k, index_t count) { return load_first<best_isa>(x + k, count, largest) - center; });
        others = static_cast<double>(centered) + static_cast<double>(classes) * static_cast<double>(largest) - label -
                 padding;
      }
      const T sum = sum_of_exponentials(x, classes, largest, [&](index_t k, index_t count, const B& exponentials) {
        store_first<best_isa>(x + k, count, exponentials);
      });
      const double normalizer = static_cast<double>(largest) + std::log(static_cast<double>(sum));
      row_loss& row = losses[static_cast<std::size_t>(i)];
      row.log_likelihood = normalizer - label;
      row.loss = normalizer - (1 - e) * label - of_other * others -
                 (smoothing.form == smoothing_form::uniform ? of_other * label : 0);
      const B scale(static_cast<T>(weight / static_cast<double>(sum))), less(static_cast<T>(weight * of_other));
      for (index_t k = 0; k < classes; k += n) {
        const index_t count = std::min(n, classes - k);
        store_first<best_isa>(x + k, count, load_first<best_isa>(x + k, count) * scale - less);
      }
      x[labels[i]] -= static_cast<T>(weight * (of_true - of_other));
      if (skips_padding) x[padding_id] += static_cast<T>(weight * of_other);
    }
  });
  smoothed_loss total;
  for (index_t i = 0; i < rows; ++i) {
    if (labels[i] == padding_id) continue;
    total.loss += losses[static_cast<std::size_t>(i)].loss;
    total.log_likelihood += losses[static_cast<std::size_t>(i)].log_likelihood;
    ++total.rows;
  }
  return total;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
