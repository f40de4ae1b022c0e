// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/weights.hpp"

// Backward of the aggregation policies of weights.hpp. With g the output gradient of query i (times 1/n when
// normalized):
//
//   planes                 what of a value the kernels below look at, computed once per head
//   weight_step(...)       adds value feature x of key j to sum_k g_ik dO_ik/dW_ij            (lanes are keys)
//   value_step(...)        adds query i to dL/dV_jk, nothing for a masked_weight             (lanes are features)
//   score_gradients(...)   one row: dL/dS from the sums of weight_step; totals of the scalar gradients
//
// Subgradients at ties: a value equal to its threshold passes nothing, a threshold of 0 has no slope.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Sums over a head for the gradients of its three scalars, still without output_scale where that is a common factor.
struct scalar_totals {
  double raw = 0;     ///< sum dL/dS_ij raw_ij
  double shift = 0;   ///< sum dL/dW_ij
  double output = 0;  ///< sum W_ij dL/dW_ij; with sum_jk V_jk dL/dV_jk it makes the gradient of output_scale
};

namespace detail {

/// sums (row) -> dL/dS of row[0, end), divided by output_scale. w, raw: the row's weights and raw scores.
template <class Isa, class T>
void relu_score_gradients(T* row, const T* w, const T* raw, index_t n, index_t scored, index_t end,
                          const weight_options<T>& options, scalar_totals& totals) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  T mean_gradient(0);
  if (n > 0) {
    const B mean(raw_mean<Isa, T>(raw, n, scored, options)), zero(T(0));
    B sum(T(0)), weighted(T(0)), against_raw(T(0));
    for (index_t j = 0; j < n; j += N) {
      const index_t count = n - j < N ? n - j : N;
      const B w_j = load_first<Isa, T>(w + j, count);  // fill 0: lanes beyond n have no slope
      // forward: W = max(scale * (raw - mean) + shift, 0)
      const B d = select(w_j > zero, -load_first<Isa, T>(row + j, count), zero);
      sum += d;
      weighted += d * w_j;
      against_raw += d * (load_first<Isa, T>(raw + j, count) - mean);
      store_first<Isa, T>(row + j, count, d);
    }
    const T total = horizontal_sum<Isa, T>(sum);
    totals.shift += static_cast<double>(total);
    totals.output += static_cast<double>(horizontal_sum<Isa, T>(weighted));
    totals.raw += static_cast<double>(horizontal_sum<Isa, T>(against_raw));
    if (options.center) mean_gradient = total / static_cast<T>(options.center_all ? scored : n);
  }
  const index_t in_mean = n == 0 || !options.center ? 0 : options.center_all ? scored : n;
  for (index_t j = n; j < end; ++j) row[j] = T(0);
  // forward: mean = sum_j raw_j / in_mean
  if (in_mean > 0) {
    const B subtract(mean_gradient);
    for_row<true, Isa, T>(row, in_mean, T(0), [&](B d, int) INHIBITOR_INLINE_LAMBDA { return d - subtract; });
  }
}

}  // namespace detail

template <class Aggregate>
struct weight_gradients;

/// forward:  out_ik = sum_j sign(V_jk) max(|V_jk| - W_ij, 0)
/// backward: dW_ij -= g_ik sign(V_jk) where |V_jk| > W_ij (the sign is that of score_gradients),   dV_jk += g_ik there
template <>
struct weight_gradients<signed_relu> {
  static constexpr int rows = 2;    ///< register tile: queries (weight_step) and keys (value_step)
  static constexpr int planes = 2;  ///< |V| and sign V
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> plane(int p, batch<Isa, T> v) {
    return p == 0 ? abs(v) : float_ops<Isa, T>::sign(v);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> weight_step(batch<Isa, T> acc, const batch<Isa, T>* v, batch<Isa, T> w,
                                                    batch<Isa, T> g) {
    return float_ops<Isa, T>::multiply_add_where_greater(acc, v[0], w, v[1], g);
  }
  /// v is plane 0.
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> value_step(batch<Isa, T> acc, batch<Isa, T> v, batch<Isa, T> w,
                                                   batch<Isa, T> g) {
    return float_ops<Isa, T>::add_where_greater(acc, v, w, g);
  }
  template <class Isa, class T>
  static void score_gradients(T* row, T* w, const T* raw, index_t n, index_t scored, index_t end, T,
                              const weight_options<T>& options, scalar_totals& totals) {
    detail::relu_score_gradients<Isa, T>(row, w, raw, n, scored, end, options, totals);
  }
};

/// forward:  out_ik = sum_j max(V_jk - W_ij, 0)
/// backward: dW_ij -= g_ik where V_jk > W_ij (the sign is that of score_gradients),   dV_jk += g_ik there
template <>
struct weight_gradients<unsigned_relu> : weight_gradients<signed_relu> {
  static constexpr int planes = 1;  ///< V
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> plane(int, batch<Isa, T> v) {
    return v;
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> weight_step(batch<Isa, T> acc, const batch<Isa, T>* v, batch<Isa, T> w,
                                                    batch<Isa, T> g) {
    return float_ops<Isa, T>::add_where_greater(acc, v[0], w, g);
  }
};

/// forward:  out_ik = sum_j P_ij V_jk,   P_ij = exp(S_ij) / sum_j exp(S_ij)
/// backward: dP_ij = sum_k g_ik V_jk,   dV_jk += P_ij g_ik
template <>
struct weight_gradients<softmax> {
  static constexpr int rows = 4;
  static constexpr int planes = 1;  ///< V
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> plane(int, batch<Isa, T> v) {
    return v;
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> weight_step(batch<Isa, T> acc, const batch<Isa, T>* v, batch<Isa, T>,
                                                    batch<Isa, T> g) {
    return float_ops<Isa, T>::multiply_add(v[0], g, acc);
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> value_step(batch<Isa, T> acc, batch<Isa, T>, batch<Isa, T> w, batch<Isa, T> g) {
    return float_ops<Isa, T>::multiply_add(w, g, acc);
  }
  /// Normalizes the weights first: W = P = w * factor, then dS = P (dP - sum_j P dP).
  template <class Isa, class T>
  static void score_gradients(T* row, T* w, const T* raw, index_t n, index_t, index_t end, T factor,
                              const weight_options<T>&, scalar_totals& totals) {
    using B = batch<Isa, T>;
    constexpr index_t N = lanes<Isa, T>;
    const B scale(factor);
    B sum(T(0)), against_raw(T(0));
    for (index_t j = 0; j < n; j += N) {
      const index_t count = n - j < N ? n - j : N;
      const B p = load_first<Isa, T>(w + j, count) * scale;
      store_first<Isa, T>(w + j, count, p);
      sum += p * load_first<Isa, T>(row + j, count);
    }
    const B mean(horizontal_sum<Isa, T>(sum));
    for (index_t j = 0; j < n; j += N) {
      const index_t count = n - j < N ? n - j : N;
      const B d = load_first<Isa, T>(w + j, count) * (load_first<Isa, T>(row + j, count) - mean);
      against_raw += d * load_first<Isa, T>(raw + j, count);
      store_first<Isa, T>(row + j, count, d);
    }
    for (index_t j = n; j < end; ++j) row[j] = T(0);
    totals.raw += static_cast<double>(horizontal_sum<Isa, T>(against_raw));
  }
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
