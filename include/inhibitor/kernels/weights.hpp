// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include "inhibitor/kernels/head.hpp"
#include "inhibitor/simd/float_ops.hpp"
#include "inhibitor/simd/partial.hpp"

// Aggregation policies: how a row of raw scores becomes a row of weights, and how a value and a weight combine.
//
//   weigh(row, n, scored, options) -> factor   in place on row[0..n); n attended keys, `scored` valid raw scores
//   step(acc, v, w)       what key j adds to the accumulator of one output register
//   step_exact(acc, v, w) the same for keys outside the shared value sum (see below)
//   finish(acc, value_sum, factor)             output register
//
// ReLU aggregations use soft(v, w) = v - limit(v, w), so sum_j soft = sum_j v - sum_j limit, and the first sum is
// shared by all queries that attend to the same keys: two operations per element. Both sums add keys in the same order,
// so a fully inhibited row gives exactly 0. Rounding: at most 2 n eps sum_j |v_jk|, in practice about sqrt(n) eps times
// the partial sums, the same as the sum of all values itself; the last keys of a causal row subtract soft(v, w) one by
// one instead.
//
// Non-finite values: a NaN or infinite score or threshold makes the row's factor NaN, a NaN or infinite value its sum.

namespace inhibitor {
namespace kernels {

namespace detail {

/// Calls body(j, x) for registers of row[0, n); lanes beyond n hold `fill`. body returns the register to store.
template <class Isa, class T, class Body>
INHIBITOR_INLINE void transform_row(T* row, index_t n, T fill, Body&& body) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  index_t j = 0;
  for (; j + N <= n; j += N) body(B::load_aligned(row + j)).store_aligned(row + j);
  if (j < n) store_first<Isa, T>(row + j, n - j, body(load_first<Isa, T>(row + j, n - j, fill)));
}

/// The same without storing.
template <class Isa, class T, class Body>
INHIBITOR_INLINE void visit_row(const T* row, index_t n, T fill, Body&& body) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  index_t j = 0;
  for (; j + N <= n; j += N) body(B::load_aligned(row + j));
  if (j < n) body(load_first<Isa, T>(row + j, n - j, fill));
}

template <class Isa, class T>
INHIBITOR_INLINE T row_sum(const T* row, index_t n) {
  batch<Isa, T> sum(T(0));
  visit_row<Isa, T>(row, n, T(0), [&](batch<Isa, T> x) { sum += x; });
  return horizontal_sum<Isa, T>(sum);
}

/// Mean of the raw scores that `options` subtracts; 0 without centring.
template <class Isa, class T>
INHIBITOR_INLINE T raw_mean(const T* row, index_t n, index_t scored, const weight_options<T>& options) {
  const index_t count = options.centre_all ? scored : n;
  return options.centre && count > 0 ? row_sum<Isa, T>(row, count) / static_cast<T>(count) : T(0);
}

/// W = max(scale * (raw - mean) + shift, 0) in place; returns the factor of the output row.
template <class Isa, class T>
INHIBITOR_INLINE T relu_weights(T* row, index_t n, index_t scored, const weight_options<T>& options) {
  using B = batch<Isa, T>;
  if (n == 0) return T(0);
  const B mean(raw_mean<Isa, T>(row, n, scored, options)), scale(options.scale), shift(options.shift), zero(T(0));
  B sum(T(0));
  transform_row<Isa, T>(row, n, T(0), [&](B x) {
    const B w = max(zero, float_ops<Isa, T>::multiply_add(x - mean, scale, shift));
    sum += w;
    return w;
  });
  const T factor = options.normalize_by_length ? options.output_scale / static_cast<T>(n) : options.output_scale;
  return factor + T(0) * horizontal_sum<Isa, T>(sum);
}

}  // namespace detail

/// W = max(S + shift, 0); out = output_scale * sum_j sign(v) max(|v| - W, 0).
struct signed_relu {
  static constexpr bool uses_value_sum = true;
  template <class Isa, class T>
  static INHIBITOR_INLINE T weigh(T* row, index_t n, index_t scored, const weight_options<T>& options) {
    return detail::relu_weights<Isa, T>(row, n, scored, options);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return acc + float_ops<Isa, T>::clamp(v, w);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step_exact(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return acc - (v - float_ops<Isa, T>::clamp(v, w));
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> finish(batch<Isa, T> acc, batch<Isa, T> value_sum, batch<Isa, T> factor) {
    return (value_sum - acc) * factor;
  }
};

/// W = max(S + shift, 0); out = output_scale * sum_j max(v - W, 0).
struct unsigned_relu {
  static constexpr bool uses_value_sum = true;
  template <class Isa, class T>
  static INHIBITOR_INLINE T weigh(T* row, index_t n, index_t scored, const weight_options<T>& options) {
    return detail::relu_weights<Isa, T>(row, n, scored, options);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return acc + min(v, w);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step_exact(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return acc - (v - min(v, w));
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> finish(batch<Isa, T> acc, batch<Isa, T> value_sum, batch<Isa, T> factor) {
    return (value_sum - acc) * factor;
  }
};

/// W = exp(S - max S); out = sum_j W v / sum_j W. Shift and output scale play no part.
struct softmax {
  static constexpr bool uses_value_sum = false;
  template <class Isa, class T>
  static INHIBITOR_INLINE T weigh(T* row, index_t n, index_t, const weight_options<T>& options) {
    using B = batch<Isa, T>;
    if (n == 0) return T(0);
    const B scale(options.scale);
    B largest(std::numeric_limits<T>::lowest());
    detail::transform_row<Isa, T>(row, n, row[0], [&](B x) {
      const B s = x * scale;
      largest = max(largest, s);
      return s;
    });
    const B top(horizontal_max<Isa, T>(largest));
    B sum(T(0));
    detail::transform_row<Isa, T>(row, n, -std::numeric_limits<T>::infinity(), [&](B x) {
      const B w = exp(x - top);
      sum += w;
      return w;
    });
    return T(1) / horizontal_sum<Isa, T>(sum);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return float_ops<Isa, T>::multiply_add(v, w, acc);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step_exact(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return step<Isa, T>(acc, v, w);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> finish(batch<Isa, T> acc, batch<Isa, T>, batch<Isa, T> factor) {
    return acc * factor;
  }
};

}  // namespace kernels
}  // namespace inhibitor
