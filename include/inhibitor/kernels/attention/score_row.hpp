// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/simd/float_ops.hpp"
#include "inhibitor/simd/partial.hpp"

// Passes over one row of scores in registers, with a few independent running sums.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Independent running sums of a row: a chain of additions would wait for each one's latency.
inline constexpr int row_slots = 4;

/// Calls body(x, slot) for the registers of row[0, n), slots in turn; lanes beyond n hold `fill`. With Store, body's
/// result replaces the register.
template <bool Store, class Isa, class T, class Body>
INHIBITOR_INLINE void for_row(std::conditional_t<Store, T, const T>* row, index_t n, T fill, Body&& body) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  const auto visit = [&](index_t j, int slot) INHIBITOR_INLINE_LAMBDA {
    if constexpr (Store) {
      body(B::load_aligned(row + j), slot).store_aligned(row + j);
    } else {
      body(B::load_aligned(row + j), slot);
    }
  };
  index_t j = 0;
  for (; j + row_slots * N <= n; j += row_slots * N) {
    INHIBITOR_UNROLL
    for (int slot = 0; slot < row_slots; ++slot) visit(j + slot * N, slot);
  }
  for (; j + N <= n; j += N) visit(j, 0);
  if (j == n) return;
  const B last = load_first<Isa, T>(row + j, n - j, fill);
  if constexpr (Store) {
    store_first<Isa, T>(row + j, n - j, body(last, 0));
  } else {
    body(last, 0);
  }
}

/// One register from the running sums of a row; `pairwise` is + or max.
template <class B, class F>
INHIBITOR_INLINE B join(const B (&slots)[row_slots], F&& pairwise) {
  return pairwise(pairwise(slots[0], slots[1]), pairwise(slots[2], slots[3]));
}
template <class Isa, class T>
INHIBITOR_INLINE T total(const batch<Isa, T> (&slots)[row_slots]) {
  using B = batch<Isa, T>;
  return horizontal_sum<Isa, T>(join(slots, [](B a, B b) { return a + b; }));
}

template <class Isa, class T>
INHIBITOR_INLINE T row_sum(const T* row, index_t n) {
  using B = batch<Isa, T>;
  B sum[row_slots] = {B(T(0)), B(T(0)), B(T(0)), B(T(0))};
  for_row<false, Isa, T>(row, n, T(0), [&](B x, int slot) INHIBITOR_INLINE_LAMBDA { sum[slot] += x; });
  return total<Isa, T>(sum);
}

/// Mean of the raw scores that `options` subtracts; 0 without centering.
template <class Isa, class T>
INHIBITOR_INLINE T raw_mean(const T* row, index_t n, index_t scored, const weight_options<T>& options) {
  const index_t count = options.center_all ? scored : n;
  return options.center && count > 0 ? row_sum<Isa, T>(row, count) / static_cast<T>(count) : T(0);
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
