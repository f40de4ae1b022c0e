// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/scalar_math.hpp"
#include "inhibitor/kernels/attention/score_row.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/simd/exp.hpp"
#include "inhibitor/simd/float_ops.hpp"
#include "inhibitor/simd/partial.hpp"

// Aggregation policies: how a row of raw scores becomes a row of weights, and how a value and a weight combine.
//
//   weigh(row, n, scored, options) -> factor   in place on row[0..n); n attended keys, `scored` valid raw scores
//   step(acc, v, w)       what key j adds to the accumulator of one output register
//   step_exact(acc, v, w) the same for keys outside the shared value sum (see below)
//   finish(acc, value_sum, factor)             output register
//   magnitude(v)          (ReLU) the weight from which on v adds nothing, if that is positive
//
// ReLU aggregations use soft(v, w) = v - limit(v, w), so sum_j soft = sum_j v - sum_j limit, and the first sum is
// shared by all queries that attend to the same keys: two operations per element. Both sums add keys in the same order,
// so a fully inhibited row gives exactly 0. Rounding: at most 2 n eps sum_j |v_jk|, in practice about sqrt(n) eps times
// the partial sums, the same as the sum of all values itself; the last keys of a causal row subtract soft(v, w) one by
// one instead.
//
// Non-finite values: a NaN or infinite score or threshold makes the row's factor NaN, a NaN or infinite value its sum.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

namespace detail {

/// W = max(scale * (raw - mean) + shift, 0) in place; returns the factor of the output row.
template <class Isa, class T>
INHIBITOR_INLINE T relu_weights(T* row, index_t n, index_t scored, const weight_options<T>& options) {
  using B = batch<Isa, T>;
  if (n == 0) return T(0);
  const B mean(raw_mean<Isa, T>(row, n, scored, options)), scale(options.scale), shift(options.shift), zero(T(0));
  B sum[row_slots] = {zero, zero, zero, zero};
  for_row<true, Isa, T>(row, n, T(0), [&](B x, int slot) INHIBITOR_INLINE_LAMBDA {
    const B w = maximum(zero, float_ops<Isa, T>::multiply_add(x - mean, scale, shift));
    sum[slot] += w;
    return w;
  });
  const T factor = options.normalize_by_length ? options.output_scale / static_cast<T>(n) : options.output_scale;
  return factor + T(0) * total<Isa, T>(sum);
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
  static INHIBITOR_INLINE batch<Isa, T> magnitude(batch<Isa, T> v) {
    return abs(v);
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
    return acc + minimum(v, w);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> step_exact(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w) {
    return acc - (v - minimum(v, w));
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> magnitude(batch<Isa, T> v) {
    return v;
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
    const B zero(T(0)), lowest(lowest_number<T>());
    B largest[row_slots] = {lowest, lowest, lowest, lowest};
    for_row<false, Isa, T>(row, n, row[0], [&](B x, int slot) INHIBITOR_INLINE_LAMBDA {
      largest[slot] = maximum(largest[slot], x * scale);
    });
    const B minus_top(-horizontal_max<Isa, T>(join(largest, [](B a, B b) { return maximum(a, b); })));
    B sum[row_slots] = {zero, zero, zero, zero};
    const index_t whole = n / lanes<Isa, T> * lanes<Isa, T>;
    for_row<true, Isa, T>(row, whole, T(0), [&](B x, int slot) INHIBITOR_INLINE_LAMBDA {
      const B w = exp_nonpositive<Isa, T>(float_ops<Isa, T>::multiply_add(x, scale, minus_top));
      sum[slot] += w;
      return w;
    });
    if (whole < n) {
      const B x = load_first<Isa, T>(row + whole, n - whole, row[whole]);
      const B w = exp_nonpositive<Isa, T>(float_ops<Isa, T>::multiply_add(x, scale, minus_top));
      store_first<Isa, T>(row + whole, n - whole, w);
      sum[0] += load_first<Isa, T>(row + whole, n - whole);  // the other lanes do not count
    }
    return T(1) / total<Isa, T>(sum);
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
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
