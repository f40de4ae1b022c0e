// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "inhibitor/base/config.hpp"

// How close is close, by the kind of computation:
//   exact         integer kernels, copies: equal bits
//   elementwise   a few units in the last place of the result
//   reduction     terms * eps * (sum of the magnitudes of what is added): sums in another order
//   model         a fixed relative difference, for whole networks against stored numbers

namespace inhibitor {
namespace test {

template <class T>
double elementwise(double magnitude, double ulps = 4) {
  return ulps * static_cast<double>(std::numeric_limits<T>::epsilon()) * magnitude;
}

/// Error bound of a sum of `terms` numbers whose magnitudes add up to `magnitude`; the factor 2 covers both orders.
template <class T>
double reduction(index_t terms, double magnitude) {
  return 2 * static_cast<double>(terms + 1) * static_cast<double>(std::numeric_limits<T>::epsilon()) * magnitude;
}

/// Largest absolute difference; infinity when sizes differ or a difference is NaN.
template <class A, class B>
double largest_difference(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= largest)) largest = std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
  }
  return largest;
}

template <class T>
double largest_magnitude(const std::vector<T>& a) {
  double largest = 0;
  for (const T& x : a) largest = std::max(largest, std::abs(static_cast<double>(x)));
  return largest;
}

}  // namespace test
}  // namespace inhibitor
