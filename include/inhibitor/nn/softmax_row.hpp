// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "inhibitor/nn/fixed_order_sum.hpp"
#include "inhibitor/simd/exp.hpp"

// One row of logits over a vocabulary: exponentials relative to the largest logit, of type T, summed in an order that depends
// on nothing but the row.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The largest of x (size >= 1).
template <class T>
T largest_of(const T* x, index_t size) {
  T largest = x[0];
  for (index_t k = 1; k < size; ++k) largest = largest < x[k] ? x[k] : largest;
  return largest;
}

/// Sum of exp(x - largest) over x (size), `largest` being largest_of(x); visit(k, count, exponentials) gets every register.
template <class T, class Visit>
T sum_of_exponentials(const T* x, index_t size, T largest, Visit&& visit) {
  using B = batch<best_isa, T>;
  const B center(largest);
  return fixed_order_sum<T>(size, [&](index_t k, index_t count) {
    const B e = exp_nonpositive<best_isa, T>(load_first<best_isa>(x + k, count, largest) - center);
    visit(k, count, e);
    return e;
  });
}

/// log(sum(exp(x))) of x (size >= 1).
template <class T>
double log_sum_of_exponentials(const T* x, index_t size) {
  const T largest = largest_of(x, size);
  const T sum = sum_of_exponentials(x, size, largest, [](index_t, index_t, const auto&) {});
  return static_cast<double>(largest) + std::log(static_cast<double>(sum));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
