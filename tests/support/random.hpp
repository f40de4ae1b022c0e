// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
namespace test {

/// Reproducible numbers, the same with every standard library (std distributions are not). splitmix64.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, n).
  index_t index(index_t n) { return static_cast<index_t>(bits() % static_cast<std::uint64_t>(n)); }

  /// n numbers uniform in [low, high).
  template <class T>
  std::vector<T> numbers(index_t n, double low = -1, double high = 1) {
    std::vector<T> x(static_cast<std::size_t>(n));
    for (T& value : x) value = static_cast<T>(uniform(low, high));
    return x;
  }
  /// n numbers on the grid of multiples of 1/4 in [-1, 1]: many ties, no rounding.
  template <class T>
  std::vector<T> grid(index_t n) {
    std::vector<T> x(static_cast<std::size_t>(n));
    for (T& value : x) value = static_cast<T>(index(9) - 4) / T(4);
    return x;
  }

 private:
  std::uint64_t state_;
};

}  // namespace test
}  // namespace inhibitor
