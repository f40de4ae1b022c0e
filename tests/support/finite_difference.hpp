// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "inhibitor/base/config.hpp"

namespace inhibitor::test {

/// Largest difference between the gradient `dx` (size) and the central difference of loss() over x (size), relative to
/// max(1, |gradient|). `loss` reads x through the pointer; x is restored. With the default step the differences of a
/// smooth loss of order 1 are accurate to about 1e-8 in double.
template <class Loss>
double gradient_error(Loss&& loss, double* x, const double* dx, index_t size, double step = 1e-5) {
  double worst = 0;
  for (index_t i = 0; i < size; ++i) {
    const double saved = x[i];
    x[i] = saved + step;
    const double above = loss();
    x[i] = saved - step;
    const double below = loss();
    x[i] = saved;
    const double numeric = (above - below) / (2 * step);
    const double error = std::abs(numeric - dx[i]) / std::max(1.0, std::abs(numeric));
    worst = std::isfinite(error) ? std::max(worst, error) : HUGE_VAL;
  }
  return worst;
}

}  // namespace inhibitor::test
