// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "inhibitor/simd/partial.hpp"

// Sums whose order is a function of the extents alone. Eigen's start at the first aligned address, so that their bits
// change with where a buffer lies.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Sum of value(i, count) over [0, size) in steps of a register, value giving the `count` values from i on: two
/// interleaved sums of whole registers, folded in halves, then the rest one by one.
template <class T, class Value>
T fixed_order_sum(index_t size, Value&& value) {
  using B = batch<best_isa, T>;
  constexpr index_t n = lanes<best_isa, T>;
  T parts[static_cast<std::size_t>(n)];
  const auto rest = [&](T sum, index_t from) {
    if (from < size) {
      store_first<best_isa>(parts, size - from, B(value(from, size - from)));
      for (index_t k = 0; k < size - from; ++k) sum += parts[k];
    }
    return sum;
  };
  const index_t whole = size / n * n, pairs = size / (2 * n) * (2 * n);
  if (whole == 0) return rest(T(0), 0);
  B even = value(0, n);
  if (whole > n) {
    B odd = value(n, n);
    for (index_t i = 2 * n; i < pairs; i += 2 * n) {
      even = even + value(i, n);
      odd = odd + value(i + n, n);
    }
    even = even + odd;
    if (whole > pairs) even = even + value(pairs, n);
  }
  store_first<best_isa>(parts, n, even);
  for (index_t half = n / 2; half > 0; half /= 2) {
    for (index_t k = 0; k < half; ++k) parts[k] += parts[k + half];
  }
  return rest(parts[0], whole);
}

/// sums (cols) += the sums over the rows of x (rows, cols), `stride` numbers apart: whole groups of 32 bytes of columns
/// add four rows in pairs, the columns that are left over add row by row.
template <class T>
void add_column_sums(T* sums, const T* x, index_t rows, index_t cols, index_t stride) {
  constexpr index_t n = 32 / static_cast<index_t>(sizeof(T));
  if (rows == 0) return;
  const index_t whole = cols / n * n, fours = (rows - 1) & ~index_t{3};
  for (index_t c = 0; c < whole; c += n) {
    T sum[static_cast<std::size_t>(n)];
    const T* at = x + c;
    std::copy_n(at, n, sum);
    index_t i = 1;
    for (; i < fours; i += 4) {
      const T *a = at + i * stride, *b = a + stride, *d = b + stride, *e = d + stride;
      for (index_t k = 0; k < n; ++k) sum[k] += (a[k] + b[k]) + (d[k] + e[k]);
    }
    for (; i < rows; ++i) {
      for (index_t k = 0; k < n; ++k) sum[k] += at[i * stride + k];
    }
    for (index_t k = 0; k < n; ++k) sums[c + k] += sum[k];
  }
  for (index_t c = whole; c < cols; ++c) {
    T sum = x[c];
    for (index_t i = 1; i < rows; ++i) sum += x[i * stride + c];
    sums[c] += sum;
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
