// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/nn/blocks.hpp"
#include "inhibitor/nn/fixed_order_sum.hpp"
#include "inhibitor/simd/exp.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Cross-entropy over a vocabulary, for heads whose logits are the largest array of a step: turns logits (rows,
/// classes) in place into the gradient of weight * sum over the rows of -log softmax(logits)[label], and returns the
/// sum without the weight. Exponentials and their sum are of type T, a row's loss and the sum over rows in double, in
/// the order of the rows, so that results do not depend on the workers. Labels (rows) lie in [0, classes), or
/// std::invalid_argument.
template <class T>
double cross_entropy_in_place(T* logits, const std::int32_t* labels, index_t rows, index_t classes, double weight,
                              const executor& workers) {
  using B = batch<best_isa, T>;
  constexpr index_t n = lanes<best_isa, T>;
  for (index_t i = 0; i < rows; ++i) {
    check(labels[i] >= 0 && labels[i] < classes, [&] {
      return "label of row " + std::to_string(i) + " is " + std::to_string(labels[i]) + "; expected 0 <= label < " +
             std::to_string(classes);
    });
  }
  std::vector<double> losses(static_cast<std::size_t>(rows));
  for_each_range(rows, 8, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      T* x = logits + i * classes;
      const auto label = static_cast<double>(x[labels[i]]);
      T largest = x[0];
      for (index_t k = 1; k < classes; ++k) largest = largest < x[k] ? x[k] : largest;
      const B center(largest);
      const T sum = fixed_order_sum<T>(classes, [&](index_t k, index_t count) {
        const B e = exp_nonpositive<best_isa, T>(load_first<best_isa>(x + k, count, largest) - center);
        store_first<best_isa>(x + k, count, e);
        return e;
      });
      losses[static_cast<std::size_t>(i)] = static_cast<double>(largest) + std::log(static_cast<double>(sum)) - label;
      const T scale = static_cast<T>(weight / static_cast<double>(sum));
      for (index_t k = 0; k < classes; k += n) {
        const index_t count = std::min(n, classes - k);
        store_first<best_isa>(x + k, count, load_first<best_isa>(x + k, count) * B(scale));
      }
      x[labels[i]] -= static_cast<T>(weight);
    }
  });
  double total = 0;
  for (const double loss : losses) total += loss;
  return total;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
