// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
namespace test {

/// Derivative of a real function, written for complex numbers, by each of its inputs: Im f(x + ih) / h, exact to
/// rounding because nothing is subtracted. `f` takes a std::vector<std::complex<double>>.
template <class F>
std::vector<double> complex_step_gradient(const F& f, const std::vector<double>& x) {
  constexpr double h = 1e-100;
  std::vector<std::complex<double>> z(x.begin(), x.end());
  std::vector<double> gradient;
  for (std::size_t i = 0; i < x.size(); ++i) {
    z[i] = {x[i], h};
    gradient.push_back(std::complex<double>(f(z)).imag() / h);
    z[i] = x[i];
  }
  return gradient;
}

/// The same by central differences, for functions that are written for double only.
template <class F>
std::vector<double> difference_gradient(const F& f, std::vector<double> x, double h = 1e-6) {
  std::vector<double> gradient;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double keep = x[i];
    x[i] = keep + h;
    const double above = f(x);
    x[i] = keep - h;
    const double below = f(x);
    x[i] = keep;
    gradient.push_back((above - below) / (2 * h));
  }
  return gradient;
}

}  // namespace test
}  // namespace inhibitor
